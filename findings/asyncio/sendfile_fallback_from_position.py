"""asyncio: sock_sendfile() without an offset starts at the file's position when it has to read the file

Rule:     TRN-12
Versions: CPython 3.11 to 3.13, and the loops that inherit BaseEventLoop.sock_sendfile()
Docs:     loop.sock_sendfile(): offset tells from where to start reading the file; it is 0 unless given
Expected: all 8 bytes, as os.sendfile() sends them of a file that has a descriptor
Seen:     none: the fallback seeks only to an offset other than 0, and the file stands at its end
"""

import asyncio
import io
import socket


async def main():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs, io.BytesIO() as file:
        file.write(b"the file")
        sent = await asyncio.get_running_loop().sock_sendfile(ours, file)
        print("sent:", sent)
        return sent


raise SystemExit(asyncio.run(main()) != 8)
