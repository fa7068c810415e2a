"""uvloop: a client that comes while there are no file descriptors left is dropped without a word

Rule:     SRV-02
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     accept(2), EMFILE; CPython accepts the client a second later
Expected: the client stays connected and is served once there are descriptors again
Seen:     libuv accepts it with a descriptor that it keeps in reserve, and closes it
"""

import asyncio
import os
import resource
import socket

import uvloop


async def main():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    client = socket.socket()
    client.setblocking(False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    client.connect_ex(server.sockets[0].getsockname())
    await asyncio.sleep(0.1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        dropped = client.recv(1) == b""
    except BlockingIOError:
        dropped = False
    client.close()
    server.close()
    print("dropped:", dropped)
    return dropped


raise SystemExit(uvloop.run(main()))
