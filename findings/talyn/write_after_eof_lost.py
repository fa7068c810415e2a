"""talyn: write() after write_eof() is taken, and what it is given is lost

Rule:     TRN-08
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     WriteTransport.write_eof; CPython raises RuntimeError: Cannot call write() after write_eof()
Expected: RuntimeError
Seen:     nothing is said, and nothing sent
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    transport.write_eof()
    try:
        transport.write(b"x")
    except RuntimeError as error:
        return error
    await asyncio.sleep(0.05)
    transport.close()
    return peer.recv(10)


told = loop.run_until_complete(connect())
print("error, or what was received:", repr(told))
raise SystemExit(told == b"")
