"""talyn: what had arrived before pause_reading() is delivered after it

Rule:     TRN-06
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     ReadTransport.pause_reading: no data will be passed to data_received until resume_reading is called
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
    transport.pause_reading()
    await asyncio.sleep(0.05)
    received = protocol.data
    transport.close()
    peer.close()
    return received


data = loop.run_until_complete(connect())
print("received while paused:", data)
raise SystemExit(bool(data))
