"""uvloop: a server whose protocol factory raised once accepts nobody any more

Rule:     SRV-05
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.create_server; CPython reports the exception and drops that one connection
Expected: the second client is accepted
Seen:     it never is
"""

import asyncio
import socket

import uvloop


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    calls = 0
    accepted = loop.create_future()

    class Client(asyncio.Protocol):
        def connection_made(self, transport):
            accepted.set_result(transport)

    def factory():
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError
        return Client()

    server = await loop.create_server(factory, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await asyncio.sleep(0.05)
        with socket.create_connection(server.sockets[0].getsockname()):
            done, _ = await asyncio.wait([accepted], timeout=1)
    print("the second client was", "accepted" if done else "not accepted")
    return not done


raise SystemExit(uvloop.run(main()))
