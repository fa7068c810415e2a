"""Pipes that are written to: buffers, limits, and readers that go away."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop
from recorded_connections import Recorder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' select watches no pipes")

if sys.platform != "win32":
    from open_pipes import KINDS, file_of, reading, receive, send, writing
else:
    KINDS = []

FULL = 1 << 20  # more than any pipe, socket or terminal takes at once


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


async def take(theirs: Any, count: int) -> bytes:
    """So many bytes that the transport writes."""
    taken = bytearray()
    while len(taken) < count:
        try:
            taken += receive(theirs, count - len(taken))
        except BlockingIOError:
            await asyncio.sleep(0)
    return bytes(taken)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_goes_out_at_once(loop: EventLoop, kind: str) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop, kind)
        assert isinstance(transport, asyncio.WriteTransport)
        assert not isinstance(transport, asyncio.ReadTransport)
        assert transport.can_write_eof()
        transport.write(b"now")
        assert receive(theirs) == b"now"
        transport.write(b"")
        transport.writelines([b"and ", bytearray(b"then "), memoryview(b"again")])
        assert receive(theirs) == b"and then again"
        transport.close()
        await protocol.lost
        await asyncio.sleep(0)
        if kind != "terminal":
            assert receive(theirs) == b""
        theirs.close()
        assert protocol.events == ["made", "lost"]

    loop.run_until_complete(main())


@pytest.mark.parametrize("kind", KINDS)
def test_any_split_into_writes_arrives_in_order(loop: EventLoop, kind: str) -> None:
    rng = random.Random(5)
    data = rng.randbytes(400_000)

    async def main() -> None:
        transport, protocol, theirs = await writing(loop, kind)
        position = 0
        while position < len(data):
            piece: Any = data[position : position + rng.choice([1, 10, 1000, 50_000])]
            position += len(piece)
            choice = rng.randrange(4)
            if choice == 0:
                piece = memoryview(piece)
            elif choice == 1:
                mixed = bytearray(2 * len(piece))
                mixed[::2] = piece
                piece = memoryview(mixed)[::2]
            if choice < 3:
                transport.write(piece)
            else:
                mutable = bytearray(piece)
                transport.write(mutable)
                mutable[:] = bytes(len(mutable))
        transport.write_eof()
        assert await take(theirs, len(data)) == data
        assert await protocol.lost is None
        assert protocol.error is None
        theirs.close()

    loop.run_until_complete(main())


def test_flow_control_is_balanced(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop)
        transport.set_write_buffer_limits(high=50_000, low=10_000)
        assert transport.get_write_buffer_limits() == (10_000, 50_000)
        while "pause" not in protocol.events:
            assert transport.get_write_buffer_size() <= 50_000
            transport.write(bytes(10_000))
        assert transport.get_write_buffer_size() > 50_000
        transport.write(bytes(100_000))
        assert protocol.events == ["made", "pause"]
        while "resume" not in protocol.events:
            assert transport.get_write_buffer_size() > 10_000
            await take(theirs, 4096)
        assert transport.get_write_buffer_size() <= 10_000
        assert protocol.events == ["made", "pause", "resume"]
        transport.abort()
        assert transport.get_write_buffer_size() == 0
        await protocol.lost
        theirs.close()
        with pytest.raises(ValueError, match="high >= low"):
            transport.set_write_buffer_limits(high=1, low=2)

    loop.run_until_complete(main())


def test_close_writes_what_is_buffered_and_abort_drops_it(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop)
        transport.write(bytes(FULL))
        transport.close()
        transport.write(b"too late")
        for _ in range(3):
            await asyncio.sleep(0)
        assert protocol.events == ["made", "pause"]
        assert len(await take(theirs, FULL)) == FULL
        await protocol.lost
        assert receive(theirs) == b""
        theirs.close()

        transport, protocol, theirs = await writing(loop)
        transport.write(bytes(FULL))
        transport.close()
        transport.abort()
        await protocol.lost
        assert protocol.error is None
        await asyncio.sleep(0)
        left = 0
        while data := receive(theirs):
            left += len(data)
        assert left < FULL
        theirs.close()

    loop.run_until_complete(main())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "terminal"])
@pytest.mark.parametrize("buffered", [0, FULL])
def test_a_reader_that_leaves_is_noticed(loop: EventLoop, kind: str, buffered: int) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop, kind)
        transport.write(bytes(buffered))
        theirs.close()
        await protocol.lost
        assert isinstance(protocol.error, OSError) if buffered else protocol.error is None
        assert protocol.events[-1] == "lost"
        transport.write(b"in vain")

    loop.run_until_complete(main())


def test_writing_to_a_broken_pipe_ends_it_once(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop)
        theirs.close()
        transport.write(b"x")
        assert protocol.events == ["made"]
        assert transport.is_closing()
        transport.close()
        transport.abort()
        await protocol.lost
        assert isinstance(protocol.error, BrokenPipeError)

    loop.run_until_complete(main())


def test_a_hung_up_terminal_ends_it(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop, "terminal")
        transport.write(bytes(FULL))
        theirs.close()
        await protocol.lost
        assert isinstance(protocol.error, OSError)
        assert protocol.error.errno == errno.EIO

    loop.run_until_complete(main())


def test_a_socket_whose_peer_talks_goes_on_and_rests(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop, "socket")
        send(theirs, b"nobody reads this")
        for _ in range(5):
            await asyncio.sleep(0)
        transport.write(b"still here")
        assert receive(theirs) == b"still here"
        assert protocol.events == ["made"]
        # Nothing is left that would be reported over and over.
        assert loop._selector.select(0) == []
        theirs.close()
        transport.write(b"x")
        await protocol.lost
        assert isinstance(protocol.error, OSError)

    loop.run_until_complete(main())


def test_a_fifo_opened_in_both_directions_keeps_what_it_holds(loop: EventLoop, tmp_path: Path) -> None:
    """Its writer is its reader as well, and it is ready to be read as soon as something was written."""
    path = tmp_path / "fifo"
    os.mkfifo(path)

    async def main() -> None:
        ours = file_of(os.open(path, os.O_RDWR), "r+b")
        transport, protocol = await loop.connect_write_pipe(Recorder, ours)
        transport.write(b"kept")
        for _ in range(5):
            await asyncio.sleep(0)
        assert protocol.events == ["made"]
        theirs = os.open(path, os.O_RDONLY)
        assert os.read(theirs, 100) == b"kept"
        os.close(theirs)
        transport.close()
        await protocol.lost

    loop.run_until_complete(main())


def test_a_protocol_that_writes_as_soon_as_it_may_loses_nothing(loop: EventLoop) -> None:
    class Writing(Recorder):
        left = 20

        def resume_writing(self) -> None:
            super().resume_writing()
            self.go_on()

        def go_on(self) -> None:
            while self.left and self.events[-1] != "pause":
                self.left -= 1
                self.transport.write(bytes([self.left]) * 70_000)
            if not self.left:
                self.transport.close()

    async def main() -> None:
        _, protocol, theirs = await writing(loop, factory=Writing)
        protocol.go_on()
        received = await take(theirs, 20 * 70_000)
        assert received == b"".join(bytes([number]) * 70_000 for number in reversed(range(20)))
        await protocol.lost
        theirs.close()

    loop.run_until_complete(main())


def test_writes_after_the_end_are_dropped_and_from_the_fifth_on_logged(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop)
        transport.close()
        with caplog.at_level(logging.WARNING, "asyncio"):
            for number in range(1, 7):
                transport.write(b"x")
                assert len(caplog.records) == max(0, number - 4)
        await protocol.lost
        theirs.close()

    loop.run_until_complete(main())


def test_what_is_not_bytes_is_refused(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop)
        for wrong in ("text", 1, None, [b"x"]):
            with pytest.raises(TypeError, match="bytes"):
                transport.write(wrong)
        transport.write(b"goes on")
        assert receive(theirs) == b"goes on"
        transport.close()
        await protocol.lost
        theirs.close()

    loop.run_until_complete(main())


def test_a_new_protocol_hears_the_rest(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await writing(loop)
        other = Recorder()
        transport.set_protocol(other)
        assert transport.get_protocol() is other
        transport.write(bytes(FULL))
        assert other.events == ["pause"]
        theirs.close()
        await other.lost
        assert protocol.events == ["made"]

    loop.run_until_complete(main())


def test_reading_makes_no_large_objects(loop: EventLoop) -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy cannot trace memory")

    async def main() -> None:
        transport, protocol, theirs = await reading(loop)
        gc.collect()
        tracemalloc.start()
        try:
            send(theirs, b"little")
            while not protocol.data:
                await asyncio.sleep(0)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 100_000
        transport.close()
        theirs.close()
        await protocol.lost

    loop.run_until_complete(main())


def test_a_pipe_may_be_a_socket_object(loop: EventLoop) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        transport, protocol = await loop.connect_write_pipe(Recorder, ours)
        assert transport.get_extra_info("pipe") is ours
        assert ours.gettimeout() is None  # the object is not asked; the file is what must not block
        assert not os.get_blocking(ours.fileno())
        transport.close()
        await protocol.lost
        theirs.close()

    loop.run_until_complete(main())
