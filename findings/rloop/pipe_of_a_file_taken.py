"""rloop: connect_read_pipe() takes a regular file, which is never read

Rule:     PIP-02
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.connect_read_pipe; CPython refuses what is no pipe with ValueError
Expected: ValueError
Seen:     a transport that tells nothing, not even the end of the file
"""

import asyncio
import tempfile

import rloop


class Reader(asyncio.Protocol):
    def __init__(self):
        self.ended = asyncio.get_running_loop().create_future()

    def eof_received(self):
        self.ended.set_result(None)


async def main():
    with tempfile.TemporaryFile() as file:
        try:
            transport, protocol = await asyncio.get_running_loop().connect_read_pipe(Reader, file)
        except ValueError as error:
            print("raised:", error)
            return False
        done, _ = await asyncio.wait([protocol.ended], timeout=0.1)
        transport.close()
        print("it was taken; the end of the file was", "told" if done else "never told")
        return True


raise SystemExit(rloop.new_event_loop().run_until_complete(main()))
