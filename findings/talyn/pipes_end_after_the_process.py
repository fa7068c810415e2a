"""talyn: a subprocess's connection_lost() comes before the end of its pipes

Rule:     SUB-01, SUB-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-protocol, subprocess protocols: pipe_connection_lost for each pipe, connection_lost at last
Expected: pipe 0, 1 and 2, process_exited, and connection_lost at last
Seen:     pipe 1 and 2 after connection_lost, pipe 0 never
"""

import asyncio
import sys

import talyn

loop = talyn.Loop()
told = []


class Protocol(asyncio.SubprocessProtocol):
    """Says what it hears."""

    def pipe_connection_lost(self, fd, exc):
        told.append(f"pipe {fd}")

    def connection_lost(self, exc):
        told.append("lost")


async def spawn():
    await loop.subprocess_exec(Protocol, sys.executable, "-c", "")
    await asyncio.sleep(0.5)


loop.run_until_complete(spawn())
print(*told, sep=", ")
raise SystemExit(told[-1] != "lost" or "pipe 0" not in told)
