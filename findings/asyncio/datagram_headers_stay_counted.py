"""asyncio: each datagram that had to wait leaves eight bytes in get_write_buffer_size() for ever

Rule:     DGM-03
Versions: CPython 3.13.0 to 3.13.5; gh-135444, mended in 3.13.6
Docs:     Flow control callbacks: resume_writing() is called when the buffer drains below the low watermark
Expected: 0 bytes once all has been sent
Seen:     392 after 60 datagrams; after 2048 of them that waited the endpoint is never resumed again
"""

import asyncio
import os
import socket
import tempfile


async def main():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer, tempfile.TemporaryDirectory() as folder:
        peer.bind(os.path.join(folder, "peer"))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=peer.getsockname(), family=socket.AF_UNIX
        )
        for _ in range(60):
            transport.sendto(b"x")
        for _ in range(60):
            await asyncio.to_thread(peer.recv, 1)
        await asyncio.sleep(0.01)
        kept = transport.get_write_buffer_size()
        print("kept when all is received:", kept, "bytes")
        transport.close()
        return kept


raise SystemExit(asyncio.run(main()) > 0)
