"""zloop: a lowered high-water mark pauses nobody

Rule:     TRN-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     WriteTransport.set_write_buffer_limits; pause_writing: called when the buffer is over the mark
Expected: pause_writing() is called once there is more in the buffer than the mark allows
Seen:     it is not
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


class Protocol(asyncio.Protocol):
    """Counts its pauses."""

    pauses = 0

    def pause_writing(self):
        self.pauses += 1


async def connect():
    ours, peer = socket.socketpair()
    transport, protocol = await loop.create_connection(Protocol, sock=ours)
    transport.set_write_buffer_limits(high=10_000_000)
    transport.write(bytes(1_000_000))
    transport.set_write_buffer_limits(high=0)
    transport.abort()
    peer.close()
    return protocol.pauses


pauses = loop.run_until_complete(connect())
print("pauses:", pauses)
raise SystemExit(not pauses)
