"""talyn: a cancelled create_connection() leaves its socket open

Rule:     CAN-13
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; CPython's loop closes the socket of a connection that is not wanted any more
Expected: as many open files as before
Seen:     one more
"""

import asyncio
import os
import socket

import talyn

loop = talyn.Loop()


async def connect(address):
    task = loop.create_task(loop.create_connection(asyncio.Protocol, *address))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0.1)


with socket.create_server(("127.0.0.1", 0)) as server:
    loop.run_until_complete(connect(server.getsockname()))
    before = len(os.listdir("/proc/self/fd"))
    loop.run_until_complete(connect(server.getsockname()))
    more = len(os.listdir("/proc/self/fd")) - before
print("files left open:", more)
raise SystemExit(more > 0)
