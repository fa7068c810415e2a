"""uvloop: connect_read_pipe() of a regular file aborts the process

Rule:     PIP-02
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.connect_read_pipe; CPython refuses what is no pipe, socket or character device with ValueError
Expected: an exception
Seen:     SIGABRT, from libuv
"""

import asyncio
import os
import signal
import tempfile

import uvloop


async def main():
    with tempfile.TemporaryFile() as file:
        await asyncio.get_running_loop().connect_read_pipe(asyncio.Protocol, file)


child = os.fork()
if child == 0:
    try:
        uvloop.run(main())
    except (ValueError, OSError) as error:
        print("raised:", error)
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
