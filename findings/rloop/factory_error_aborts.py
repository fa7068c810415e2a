"""rloop: a protocol factory that raises aborts the process

Rule:     SRV-05
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.create_server; CPython reports the exception and drops that one connection
Expected: the server lives on
Seen:     a panic, and SIGABRT
"""

import asyncio
import os
import signal
import socket

import rloop


def factory():
    raise ValueError


async def main():
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await asyncio.sleep(0.1)


child = os.fork()
if child == 0:
    rloop.new_event_loop().run_until_complete(main())
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
