"""zloop: eof_received() is called over and over while there is something to write

Rule:     TRN-01, TRN-08, TRN-02, TRN-13
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     asyncio-protocol, state machine: eof_received is called at most once
Expected: once
Seen:     thousands of times, and the loop spins
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


class Protocol(asyncio.Protocol):
    """Counts the ends."""

    ends = 0

    def eof_received(self):
        self.ends += 1


async def connect():
    ours, peer = socket.socketpair()
    transport, protocol = await loop.create_connection(Protocol, sock=ours)
    transport.write(bytes(1_000_000))
    peer.shutdown(socket.SHUT_WR)
    await asyncio.sleep(0.05)
    transport.abort()
    peer.close()
    return protocol.ends


ends = loop.run_until_complete(connect())
print("eof_received() was called", ends, "times")
raise SystemExit(ends > 1)
