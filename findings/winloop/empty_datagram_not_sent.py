"""winloop: sendto() of an empty datagram sends nothing

Rule:     DGM-01
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     DatagramTransport.sendto: since 3.13 a zero-length datagram is sent
Expected: the peer receives it
Seen:     nothing comes
"""

import asyncio
import socket
import sys

import winloop


async def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=peer.getsockname()
        )
        transport.sendto(b"")
        await asyncio.sleep(0.05)
        transport.close()
        try:
            peer.recv(1)
        except BlockingIOError:
            print("nothing came")
            return True
    return False


raise SystemExit(winloop.run(main()) and sys.version_info >= (3, 13))
