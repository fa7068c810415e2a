"""rloop: close() of a server ends its connections

Rule:     SRV-01, TRN-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     Server.close: the sockets of existing incoming client connections are left open
Expected: the connection stays
Seen:     connection_lost
"""

import asyncio
import socket

import rloop

lost = []


async def main():
    loop = asyncio.get_running_loop()
    made = loop.create_future()

    class Client(asyncio.Protocol):
        def connection_made(self, transport):
            made.set_result(transport)

        def connection_lost(self, exc):
            lost.append(exc)

    server = await loop.create_server(Client, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await made
        server.close()
        await asyncio.sleep(0.05)


rloop.new_event_loop().run_until_complete(main())
print("lost:", lost)
raise SystemExit(bool(lost))
