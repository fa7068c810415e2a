"""zloop: what arrives while reading is paused is delivered

Rule:     TRN-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     ReadTransport.pause_reading: no data will be passed to data_received until resume_reading is called
Expected: nothing
Seen:     data, when pause_reading() was called inside connection_made()
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


class Protocol(asyncio.Protocol):
    """Pauses at once."""

    data = b""

    def connection_made(self, transport):
        transport.pause_reading()

    def data_received(self, data):
        self.data += data


async def connect():
    ours, peer = socket.socketpair()
    transport, protocol = await loop.create_connection(Protocol, sock=ours)
    peer.send(b"x")
    await asyncio.sleep(0.05)
    transport.abort()
    peer.close()
    return protocol.data


data = loop.run_until_complete(connect())
print("received while paused:", data)
raise SystemExit(bool(data))
