"""talyn: connection_lost() gets None after data_received() raised

Rule:     TRN-13
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-protocol, connection_lost: the argument is None when the connection was closed in order
Expected: connection_lost() gets the exception, as in CPython
Seen:     it gets None
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()
loop.set_exception_handler(lambda *_: None)
told = loop.create_future()


class Protocol(asyncio.Protocol):
    """Fails."""

    def data_received(self, data):
        raise ValueError

    def connection_lost(self, error):
        if not told.done():
            told.set_result(error)


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(Protocol, sock=ours)
    peer.send(b"x")
    await asyncio.sleep(0.1)
    transport.close()
    error = await asyncio.wait_for(told, 2)
    peer.close()
    return error


error = loop.run_until_complete(connect())
print("connection_lost:", repr(error))
raise SystemExit(error is None)
