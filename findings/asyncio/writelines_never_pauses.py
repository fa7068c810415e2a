"""asyncio: writelines() fills the buffer past the high-water mark without pause_writing()

Rule:     TRN-04
Versions: CPython 3.12.0 to 3.12.8, 3.13.0 and 3.13.1; gh-127655, mended in 3.12.9 and 3.13.2
Docs:     Flow control callbacks: pause_writing() is called when the buffer goes over the high watermark
Expected: pause_writing() once
Seen:     it is never called, and the buffer grows without bound
"""

import asyncio
import socket


class Pausing(asyncio.Protocol):
    paused = 0

    def pause_writing(self):
        self.paused += 1


async def main():
    ours, _peer = socket.socketpair()
    transport, protocol = await asyncio.get_running_loop().create_connection(Pausing, sock=ours)
    transport.writelines([b"a" * 4_000_000])
    await asyncio.sleep(0)
    print("buffered:", transport.get_write_buffer_size(), "paused:", protocol.paused)
    transport.abort()
    return protocol.paused


raise SystemExit(asyncio.run(main()) != 1)
