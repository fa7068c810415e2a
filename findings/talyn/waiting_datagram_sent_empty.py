"""talyn: a datagram that the socket has no room for is sent later, but empty

Rule:     DGM-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     DatagramTransport.sendto: if it cannot be sent at once, it is queued
Expected: what was given to sendto()
Seen:     datagrams of no bytes
"""

import asyncio
import contextlib
import os
import socket
import tempfile

import talyn


async def main():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer, tempfile.TemporaryDirectory() as folder:
        peer.bind(os.path.join(folder, "peer"))
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.connect(peer.getsockname())
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=ours)
        for _ in range(20):
            transport.sendto(b"abc")
        peer.settimeout(1)
        sizes = []
        with contextlib.suppress(TimeoutError):
            while len(sizes) < 20:
                sizes.append(len(await loop.run_in_executor(None, peer.recv, 10)))
        print("received datagrams of", sizes, "bytes")
        transport.close()
        return sizes != [3] * 20


loop = talyn.Loop()
raise SystemExit(loop.run_until_complete(main()))
