"""talyn: terminate() of a process that has ended raises RuntimeError

Rule:     SUB-02
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-subprocess; CPython's transport raises ProcessLookupError
Expected: ProcessLookupError
Seen:     RuntimeError: ProcessNotFound
"""

import asyncio
import sys

import talyn

loop = talyn.Loop()


async def spawn():
    transport, _ = await loop.subprocess_exec(asyncio.SubprocessProtocol, sys.executable, "-c", "")
    await asyncio.sleep(0.5)
    try:
        transport.terminate()
    except (ProcessLookupError, RuntimeError) as error:
        return error
    return None


error = loop.run_until_complete(spawn())
print(repr(error))
raise SystemExit(isinstance(error, RuntimeError))
