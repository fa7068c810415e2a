"""asyncio: a datagram endpoint on one of a socketpair() cannot send, and ends

Rule:     DGM-04, RES-05
Versions: CPython 3.11 to 3.15, Linux
Docs:     loop.create_datagram_endpoint: sock is a preexisting, already connected socket
Expected: the other socket receives the datagram
Seen:     TypeError inside; connection_lost(TypeError)
"""

import asyncio
import logging
import socket

logging.disable()


class Talker(asyncio.DatagramProtocol):
    def connection_lost(self, error):
        print("connection_lost:", repr(error))


async def main():
    ours, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Talker, sock=ours)
    transport.sendto(b"x")
    await asyncio.sleep(0.01)
    gone = transport.is_closing()
    print("received:", None if gone else peer.recv(1))
    transport.close()
    return gone


raise SystemExit(asyncio.run(main()))
