"""rloop: a datagram that is refused ends its endpoint

Rule:     DGM-01
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     DatagramProtocol.error_received: called when a previous send or receive raises an OSError
Expected: error_received(ConnectionRefusedError), and the endpoint stays
Seen:     connection_lost
"""

import asyncio
import socket

import rloop

told = []


class Endpoint(asyncio.DatagramProtocol):
    def error_received(self, exc):
        told.append("error_received")

    def connection_lost(self, exc):
        told.append("connection_lost")


async def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        address = peer.getsockname()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Endpoint, remote_addr=address)
    for _ in range(2):
        transport.sendto(b"a")
        await asyncio.sleep(0.05)
    print("told:", told)
    return "connection_lost" in told


raise SystemExit(rloop.new_event_loop().run_until_complete(main()))
