"""An echo server of asyncio's streams, and who asks it."""

from __future__ import annotations

import asyncio
from typing import Any


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, to the end of it."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(address: Any, question: bytes = b"question") -> bytes:
    """What the server at ``address`` answers."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(question)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def ask_an_echo(questions: list[bytes]) -> list[bytes]:
    """What an echo server answers when all ask it at the same time."""
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        return await asyncio.gather(*(ask(address, question) for question in questions))
