"""sendfile through a transport."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop
from recorded_connections import connect, read_all


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.mark.parametrize("fallback_only", [False, True], ids=["kernel", "reading"])
def test_sendfile_through_a_transport(loop: EventLoop, tmp_path: Path, fallback_only: bool) -> None:
    data = bytes(range(256)) * 2000
    path = tmp_path / "data"
    path.write_bytes(data)

    class Unmappable:
        """A file without a descriptor."""

        def __init__(self, file: Any) -> None:
            self.read, self.seek, self.tell = file.read, file.seek, file.tell

    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        reading = loop.create_task(read_all(loop, theirs))
        transport.write(b"x" * 100_000)
        with path.open("rb") as file:
            source: Any = Unmappable(file) if fallback_only else file
            sending = loop.create_task(loop.sendfile(transport, source, 10))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="sendfile"):
                transport.write(b"in between")
            assert await sending == len(data) - 10
            assert file.tell() == len(data)
        transport.write(b"end")
        transport.close()
        assert await reading == b"x" * 100_000 + data[10:] + b"end"
        theirs.close()
        await protocol.lost

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())


def test_sendfile_on_a_connection_that_breaks(loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(5_000_000))

    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        with path.open("rb") as file, theirs:
            sending = loop.create_task(loop.sendfile(transport, file))
            await asyncio.sleep(0.005)
            transport.abort()
            with pytest.raises(ConnectionError):
                await sending
        await protocol.lost
        with pytest.raises(RuntimeError, match="closing"):
            await loop.sendfile(transport, file)

    loop.run_until_complete(main())


def test_sendfile_on_a_connection_that_is_closed_while_the_file_is_read(loop: EventLoop) -> None:
    """The socket is gone by the time there is something to send (EBADF, on Windows WSAENOTSOCK)."""
    closed = threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert closed.wait(60)
            return super().read(size)

    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        with theirs:
            sending = loop.create_task(loop.sendfile(transport, Slow(b"data")))
            await asyncio.sleep(0)
            transport.abort()
            await protocol.lost
            await asyncio.sleep(0)
            closed.set()
            with pytest.raises(ConnectionError, match="closed while"):
                await sending

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())
