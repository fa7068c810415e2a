"""talyn: data_received() is called again after it raised

Rule:     TRN-09
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-protocol; CPython's transport reports the error, and ends the connection
Expected: the connection ends
Seen:     it goes on
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


class Protocol(asyncio.Protocol):
    """Fails."""

    calls = 0

    def data_received(self, data):
        self.calls += 1
        raise ValueError


async def connect():
    ours, peer = socket.socketpair()
    transport, protocol = await loop.create_connection(Protocol, sock=ours)
    for _ in range(2):
        peer.send(b"x")
        await asyncio.sleep(0.05)
    transport.abort()
    peer.close()
    return protocol.calls


loop.set_exception_handler(lambda *_: None)
calls = loop.run_until_complete(connect())
print("calls:", calls)
raise SystemExit(calls > 1)
