"""zloop: set_protocol() of the other kind of protocol loses the connection

Rule:     TRN-09
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     BaseTransport.set_protocol; CPython's transport looks again what kind of protocol it has
Expected: the buffered protocol is given the data
Seen:     its data_received() is looked for, and the connection ends with AttributeError
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


class Buffered(asyncio.BufferedProtocol):
    """Counts what comes."""

    received = 0

    def get_buffer(self, sizehint):
        return bytearray(10)

    def buffer_updated(self, nbytes):
        self.received += nbytes


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    protocol = Buffered()
    transport.set_protocol(protocol)
    peer.send(b"x")
    await asyncio.sleep(0.05)
    transport.abort()
    peer.close()
    return protocol.received


received = loop.run_until_complete(connect())
print("received:", received)
raise SystemExit(not received)
