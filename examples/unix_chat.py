"""A chat over a Unix socket: what one says, the others hear.

    python -m muxloop run examples/unix_chat.py

It prints, where there are Unix sockets (Windows has none):

    bob heard: alice: hello, bob and carol
    carol heard: alice: hello, bob and carol
    alice heard: bob has left
    carol heard: bob has left
    the socket's file is gone: True
"""

import asyncio
import os
import tempfile

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Chat:
    """Who is in the room, by name."""

    def __init__(self) -> None:
        self.members: dict[str, asyncio.StreamWriter] = {}

    def tell(self, line: str, sender: str) -> None:
        """Tell all but the sender."""
        for name, writer in self.members.items():
            if name != sender:
                writer.write(f"{line}\n".encode())

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let somebody in; the first line is the name, every other one is said to all."""
        name = (await reader.readline()).decode().strip()
        self.members[name] = writer
        writer.write(b"welcome\n")
        try:
            while line := await reader.readline():
                self.tell(f"{name}: {line.decode().strip()}", name)
        except ConnectionError:
            pass  # hung up while the others were talking
        finally:
            del self.members[name]
            self.tell(f"{name} has left", name)
            writer.close()


async def enter(path: str, name: str) -> Streams:
    """Enter the room."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(f"{name}\n".encode())
    await reader.readline()  # of the welcome: from here on, this one hears the others
    return reader, writer


async def hear(name: str, streams: Streams) -> None:
    """Print the next line that somebody hears."""
    print(f"{name} heard:", (await streams[0].readline()).decode().strip())


async def leave(streams: Streams) -> None:
    """Hang up."""
    streams[1].close()
    await streams[1].wait_closed()


async def main(path: str) -> None:
    """Let three chat."""
    async with await asyncio.start_unix_server(Chat().join, path):
        alice, bob, carol = [await enter(path, name) for name in ("alice", "bob", "carol")]
        alice[1].write(b"hello, bob and carol\n")
        await hear("bob", bob)
        await hear("carol", carol)
        await leave(bob)
        await hear("alice", alice)
        await hear("carol", carol)
        await leave(alice)
        await leave(carol)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "chat")
        asyncio.run(main(path))
        # Before Python 3.13, asyncio leaves the file to its maker.
        if os.path.exists(path):
            os.unlink(path)
        print("the socket's file is gone:", not os.path.exists(path))
