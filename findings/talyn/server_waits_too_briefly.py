"""talyn: wait_closed() returns before the last connection_lost()

Rule:     SRV-01
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     Server.wait_closed: waits until all active connections have finished (since 3.12)
Expected: lost, waited
Seen:     waited, lost
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()
told = []


class Protocol(asyncio.Protocol):
    """Says what it hears."""

    def connection_made(self, transport):
        self.transport = transport
        connections.append(transport)

    def connection_lost(self, exc):
        told.append("lost")


async def serve():
    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await asyncio.sleep(0.05)
        server.close()
        connections[0].close()
        await server.wait_closed()
        told.append("waited")
        await asyncio.sleep(0.05)


connections = []
loop.run_until_complete(serve())
print(*told, sep=", ")
raise SystemExit(told != ["lost", "waited"])
