"""asyncio: a bytearray changed after write() is sent changed

Rule:     TRN-03
Versions: CPython 3.12 to 3.15; gh-91166 brought it
Docs:     WriteTransport.write: writes some data; it does not block, and buffers what cannot be sent at once
Expected: the peer gets the bytes as they were when write() was called
Seen:     what the kernel did not take at once is a view of the caller's bytearray, and is sent as it is later
"""

import asyncio
import socket


async def main():
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    data = bytearray(b"a" * 4_000_000)
    transport.write(data)
    data[:] = b"b" * len(data)
    got = b""
    while len(got) < len(data):
        got += await asyncio.get_running_loop().sock_recv(peer, 1 << 20)
    transport.abort()
    return got.count(b"b")


changed = asyncio.run(main())
print("bytes that came changed:", changed)
raise SystemExit(changed > 0)
