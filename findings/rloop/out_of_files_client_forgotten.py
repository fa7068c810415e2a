"""rloop: a client that comes while there are no file descriptors left is never accepted

Rule:     SRV-02
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     accept(2), EMFILE; CPython accepts the client a second later
Expected: the client is served once there are descriptors again
Seen:     it waits for ever, and so would those after it
"""

import asyncio
import os
import resource
import socket

import rloop


async def main():
    loop = asyncio.get_running_loop()
    made = loop.create_future()

    class Client(asyncio.Protocol):
        def connection_made(self, transport):
            made.set_result(transport)

    server = await loop.create_server(Client, "127.0.0.1", 0)
    client = socket.socket()
    client.setblocking(False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    client.connect_ex(server.sockets[0].getsockname())
    await asyncio.sleep(0.1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    done, _ = await asyncio.wait([made], timeout=2)
    client.close()
    print("accepted:", bool(done))
    return not done


raise SystemExit(rloop.new_event_loop().run_until_complete(main()))
