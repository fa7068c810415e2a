"""talyn: add_reader() of a transport's descriptor is taken

Rule:     IO-08
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.add_reader; CPython raises RuntimeError: File descriptor is used by transport
Expected: RuntimeError
Seen:     the reader takes the transport's data
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    try:
        loop.add_reader(transport.get_extra_info("socket").fileno(), print)
    except RuntimeError as error:
        print(error)
        return False
    finally:
        transport.close()
        peer.close()
    return True


taken = loop.run_until_complete(connect())
print("taken:", taken)
raise SystemExit(taken)
