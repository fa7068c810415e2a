"""uvloop: of the clients that wait together one is accepted in an iteration

Rule:     SRV-03
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.create_server; CPython accepts up to backlog connections at a time (bpo-27906)
Expected: four clients that came together are accepted together
Seen:     an iteration passes between each of them and the next
"""

import asyncio
import socket

import uvloop


async def main():
    loop = asyncio.get_running_loop()
    made, iterations = [], 0

    class Client(asyncio.Protocol):
        def connection_made(self, transport):
            made.append(iterations)

    server = await loop.create_server(Client, "127.0.0.1", 0)
    clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(4)]
    while len(made) < 4:
        iterations += 1
        await asyncio.sleep(0)
    for client in clients:
        client.close()
    server.close()
    print("accepted in the iterations", made)
    return made[-1] - made[0] >= 3


raise SystemExit(uvloop.run(main()))
