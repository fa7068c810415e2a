"""zloop: add_reader() of a transport's descriptor is taken

Rule:     IO-08
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.add_reader; CPython raises RuntimeError: File descriptor is used by transport
Expected: RuntimeError
Seen:     the reader takes the transport's data
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    try:
        loop.add_reader(ours.fileno(), print)
    except RuntimeError as error:
        print(error)
        return False
    finally:
        transport.abort()
        peer.close()
    return True


taken = loop.run_until_complete(connect())
print("taken:", taken)
raise SystemExit(taken)
