"""rloop: add_reader() of a transport's file aborts the process

Rule:     IO-08
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.add_reader; CPython raises RuntimeError (python/asyncio#372)
Expected: RuntimeError
Seen:     a panic of the poller, and SIGABRT
"""

import asyncio
import os
import signal
import socket

import rloop


async def main():
    ours, _peer = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    try:
        loop.add_reader(transport.get_extra_info("socket").fileno(), int)
    except RuntimeError as error:
        print("raised:", error)


child = os.fork()
if child == 0:
    rloop.new_event_loop().run_until_complete(main())
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
