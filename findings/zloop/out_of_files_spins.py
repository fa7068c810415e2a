"""zloop: a server that is out of file descriptors spins

Rule:     SRV-02
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     accept(2), EMFILE; CPython's server leaves its socket alone for a second
Expected: the loop sleeps
Seen:     it is ready for ever, and the handler is told each time
"""

import asyncio
import resource
import socket

import zloop

loop = zloop.new_event_loop()
told = []
loop.set_exception_handler(lambda *_: told.append(1))


async def serve():
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    client = socket.create_connection(server.sockets[0].getsockname())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 1, hard))
    await asyncio.sleep(0.1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    client.close()
    server.close()


loop.run_until_complete(serve())
print("told", len(told), "times")
raise SystemExit(len(told) > 20)
