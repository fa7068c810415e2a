"""talyn: bytes that are changed after write() are sent changed

Rule:     TRN-03, TLS-01, TLS-10
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     WriteTransport.write: data is a bytes-like object; nothing is said of leaving it alone afterwards
Expected: a
Seen:     b
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    data = bytearray(b"a")
    transport.write(data)
    data[:] = b"b"
    await asyncio.sleep(0.05)
    transport.close()
    return peer.recv(10)


received = loop.run_until_complete(connect())
print("received:", received)
raise SystemExit(received != b"a")
