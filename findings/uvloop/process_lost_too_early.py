"""uvloop: connection_lost of a subprocess that ends at once comes before the ends of its pipes

Rule:     SUB-03
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     SubprocessProtocol; CPython calls connection_lost last (base_subprocess, _try_finish)
Expected: three times pipe_connection_lost and process_exited, then connection_lost
Seen:     connection_lost before the others, when the process has ended before connection_made
"""

import asyncio
import time

import uvloop

told = []


class Process(asyncio.SubprocessProtocol):
    def pipe_connection_lost(self, fd, exc):
        told.append("pipe_connection_lost")

    def process_exited(self):
        told.append("process_exited")

    def connection_lost(self, exc):
        told.append("connection_lost")


async def main():
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, time.sleep, 0.2)
    await loop.subprocess_exec(Process, "true")
    await asyncio.sleep(0.2)


uvloop.run(main())
print(told)
raise SystemExit(told[-1] != "connection_lost")
