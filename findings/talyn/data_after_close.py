"""talyn: what had arrived before close() is delivered after it

Rule:     TRN-02
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     BaseTransport.close: no more data will be received
Expected: nothing
Seen:     data_received() is called
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


class Protocol(asyncio.Protocol):
    """Keeps what comes."""

    data = b""

    def data_received(self, data):
        self.data += data


async def connect():
    ours, peer = socket.socketpair()
    transport, protocol = await loop.create_connection(Protocol, sock=ours)
    peer.send(b"x")
    transport.close()
    await asyncio.sleep(0.05)
    peer.close()
    return protocol.data


data = loop.run_until_complete(connect())
print("received after close():", data)
raise SystemExit(bool(data))
