"""zloop: transports have no is_reading()

Rule:     TRN-10
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     ReadTransport.is_reading
Expected: True
Seen:     AttributeError
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    try:
        return transport.is_reading()
    except AttributeError as error:
        return error
    finally:
        transport.abort()
        peer.close()


told = loop.run_until_complete(connect())
print("is_reading():", repr(told))
raise SystemExit(told is not True)
