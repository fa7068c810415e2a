"""winloop: a bytearray changed after write() is sent changed

Rule:     TRN-03
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     WriteTransport.write: writes some data; it does not block, and buffers what cannot be sent at once
Expected: the peer gets the bytes as they were when write() was called
Seen:     what the kernel did not take at once is the caller's own bytearray, and is sent as it is later
"""

import asyncio
import socket

import winloop


async def main():
    loop = asyncio.get_running_loop()
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    data = bytearray(b"a" * 4_000_000)
    transport.write(data)
    await asyncio.sleep(0)
    data[:] = b"b" * len(data)
    got = b""
    while len(got) < len(data):
        got += await loop.sock_recv(peer, 1 << 20)
    transport.abort()
    return got.count(b"b")


changed = winloop.run(main())
print("bytes that came changed:", changed)
raise SystemExit(changed > 0)
