"""talyn: an empty datagram is not sent

Rule:     DGM-01
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     DatagramTransport.sendto; udp(7): a datagram may be empty
Expected: the peer receives it
Seen:     nothing comes
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


async def send():
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(0.5)
        transport.sendto(b"", peer.getsockname())
        await asyncio.sleep(0.05)
        try:
            return peer.recv(10)
        except TimeoutError as error:
            return error


told = loop.run_until_complete(send())
print("received:", repr(told))
raise SystemExit(told != b"")
