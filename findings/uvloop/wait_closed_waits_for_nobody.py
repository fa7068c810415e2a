"""uvloop: wait_closed() does not wait for the connections of a closed server

Rule:     SRV-01
Versions: uvloop 0.23.0, CPython 3.12.1 and later, Linux
Docs:     Server.wait_closed: waits for all active connections to finish
Expected: a timeout, for there is a connection
Seen:     it returns at once
"""

import asyncio
import socket

import uvloop


async def main():
    loop = asyncio.get_running_loop()
    made = loop.create_future()

    class Client(asyncio.Protocol):
        def connection_made(self, transport):
            made.set_result(transport)

    server = await loop.create_server(Client, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await made
        server.close()
        try:
            await asyncio.wait_for(server.wait_closed(), 0.05)
        except TimeoutError:
            return False
        print("it returned, with a connection open")
        return True


raise SystemExit(uvloop.run(main()))
