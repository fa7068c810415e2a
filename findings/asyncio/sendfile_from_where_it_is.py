"""asyncio: sock_sendfile() from offset 0 sends from where the file stands, when the kernel cannot send it

Rule:     TRN-12
Versions: CPython 3.11, 3.13, Linux
Docs:     loop.sock_sendfile: offset tells from where to start reading the file
Expected: the file is sent from its beginning, as it is with os.sendfile()
Seen:     the fallback seeks only to offsets other than 0
"""

import asyncio
import io
import socket

loop = asyncio.SelectorEventLoop()


async def send():
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    file = io.BytesIO()
    file.write(b"data")
    with ours, peer:
        return await loop.sock_sendfile(ours, file, 0)


sent = loop.run_until_complete(send())
loop.close()
print("sent:", sent, "of 4 bytes")
raise SystemExit(sent != 4)
