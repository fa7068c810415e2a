"""rloop: a datagram endpoint refuses to send through the connected socket that it was given

Rule:     DGM-03, DGM-04
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.create_datagram_endpoint: sock is a preexisting, already connected socket
Expected: sendto(data) sends it to the peer of that socket
Seen:     ValueError: No remote address specified
"""

import asyncio
import socket

import rloop


async def main():
    ours, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=ours)
    try:
        transport.sendto(b"x")
    except ValueError as error:
        print("sendto:", error)
        return 1
    finally:
        transport.close()
    print("received:", peer.recv(1))
    return 0


loop = rloop.new_event_loop()
raise SystemExit(loop.run_until_complete(main()))
