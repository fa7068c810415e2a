"""talyn: one connection is accepted in each iteration

Rule:     SRV-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     bpo-27906: CPython accepts up to the backlog's number in each iteration
Expected: four that wait are accepted together
Seen:     some iterations pass between the first and the last
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()
iterations = []
made = []


def count():
    iterations.append(1)
    loop.call_soon(count)


class Protocol(asyncio.Protocol):
    """Says in which iteration it began."""

    def connection_made(self, transport):
        made.append(len(iterations))


async def serve():
    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(4)]
    loop.call_soon(count)
    await asyncio.sleep(0.05)
    for client in clients:
        client.close()
    server.close()


loop.run_until_complete(serve())
print("iterations from the first to the last:", made[-1] - made[0])
raise SystemExit(made[-1] - made[0] > 1)
