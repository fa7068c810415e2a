"""uvloop: get_extra_info("subprocess") of a subprocess transport is None

Rule:     SUB-04
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     BaseTransport.get_extra_info(): for subprocesses 'subprocess' is the subprocess.Popen instance
Expected: an object with the pid of the process
Seen:     None
"""

import asyncio

import uvloop


async def main():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.subprocess_exec(asyncio.SubprocessProtocol, "true")
    known = transport.get_extra_info("subprocess")
    print("known:", known)
    transport.close()
    return known


raise SystemExit(uvloop.run(main()) is None)
