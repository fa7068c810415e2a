"""Pipes that are read, and what both directions have in common; ``test_loop_write_pipes.py`` has the rest."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from collector import collect
from loops_under_test import OURS, SELECTORS, opened, run_in_time, turn
from muxloop import EventLoop
from recorded_connections import Recorder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' select watches no pipes")

if sys.platform != "win32":
    from open_pipes import KINDS, ends, file_of, reading, send, writing
else:
    KINDS = []

READS_OR_WRITES = ["connect_read_pipe", "connect_write_pipe"]


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def file_for(method: str) -> tuple[Any, Any]:
    """What that method connects, and the other end."""
    ours, theirs = ends("pipe")
    return (ours, theirs) if method == "connect_read_pipe" else (theirs, ours)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_up_to_the_end(loop: EventLoop, kind: str) -> None:
    async def main() -> None:
        ours, theirs = ends(kind)
        transport, protocol = await loop.connect_read_pipe(Recorder, ours)
        assert isinstance(transport, asyncio.ReadTransport)
        assert transport.get_extra_info("pipe") is ours
        assert transport.get_protocol() is protocol
        assert protocol.events == ["made"]
        for piece in (b"some", b"thing"):
            before = len(protocol.data)
            send(theirs, piece)
            while len(protocol.data) < before + len(piece):
                await asyncio.sleep(0)
        theirs.close()
        await protocol.lost
        assert protocol.data == b"something"
        if kind == "terminal" and protocol.error is not None:
            # Linux tells that a terminal was hung up by an error.
            assert isinstance(protocol.error, OSError)
            assert protocol.error.errno == errno.EIO
            assert protocol.events == ["made", "data", "lost"]
        else:
            assert protocol.error is None
            assert protocol.events == ["made", "data", "eof", "lost"]
        assert transport.is_closing()
        assert "closed" in repr(transport)
        await asyncio.sleep(0)
        assert ours.fileno() == -1 if kind == "socket" else ours.closed

    loop.run_until_complete(main())


def test_the_end_ends_it_whatever_eof_received_returns(loop: EventLoop) -> None:
    async def main() -> None:
        _, protocol, theirs = await reading(loop, factory=lambda: Recorder(keep_open=True))
        theirs.close()
        await protocol.lost
        assert protocol.events == ["made", "eof", "lost"]

    loop.run_until_complete(main())


def test_much_arrives_complete_and_in_order(loop: EventLoop) -> None:
    data = bytes(range(251)) * 6000

    async def main() -> None:
        ours, theirs = ends("pipe")
        _, reader = await loop.connect_read_pipe(Recorder, ours)
        transport, writer = await loop.connect_write_pipe(Recorder, theirs)
        transport.write(data)
        transport.close()
        await reader.lost
        assert reader.data == data
        assert writer.lost.done()

    loop.run_until_complete(main())


def test_paused_nothing_is_delivered_and_nothing_lost(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await reading(loop)
        assert transport.is_reading()
        for _ in range(2):
            transport.pause_reading()
        assert not transport.is_reading()
        send(theirs, b"kept")
        for _ in range(5):
            await asyncio.sleep(0)
        assert protocol.events == ["made"]
        for _ in range(2):
            transport.resume_reading()
        assert transport.is_reading()
        theirs.close()
        await protocol.lost
        assert protocol.data == b"kept"
        for switch in (transport.pause_reading, transport.resume_reading):
            switch()
            assert not transport.is_reading()

    loop.run_until_complete(main())


def test_paused_by_what_it_received_it_stops(loop: EventLoop) -> None:
    class Pausing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async def main() -> None:
        transport, protocol, theirs = await reading(loop, factory=Pausing)
        for number in (1, 2):
            send(theirs, b"x")
            while len(protocol.data) < number:
                await asyncio.sleep(0)
            send(theirs, b"y")
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(protocol.data) == number
            os.read(transport.get_extra_info("pipe").fileno(), 1)
            transport.resume_reading()
        transport.close()
        theirs.close()
        await protocol.lost

    loop.run_until_complete(main())


@pytest.mark.parametrize("ending", ["close", "abort", "write_eof"])
def test_connection_lost_comes_once_and_never_inside_the_call(loop: EventLoop, ending: str) -> None:
    async def main() -> None:
        connect = reading if ending == "close" else writing
        transport, protocol, theirs = await connect(loop)
        for _ in range(3):
            getattr(transport, ending)()
            assert transport.is_closing()
            assert protocol.events == ["made"]
        await protocol.lost
        theirs.close()
        for _ in range(3):
            await asyncio.sleep(0)
        assert protocol.events == ["made", "lost"]
        assert protocol.error is None

    loop.run_until_complete(main())


@pytest.mark.parametrize("method", READS_OR_WRITES)
def test_a_file_that_makes_nobody_wait_is_refused(loop: EventLoop, method: str) -> None:
    connect = getattr(loop, method)
    with tempfile.TemporaryFile() as file:
        with pytest.raises(ValueError, match="regular file"):
            loop.run_until_complete(connect(asyncio.Protocol, file))
        assert not file.closed
    folder = os.open("/", os.O_RDONLY)

    class Folder:
        def fileno(self) -> int:
            return folder

    with pytest.raises(ValueError, match="folder"):
        loop.run_until_complete(connect(asyncio.Protocol, Folder()))
    os.close(folder)
    with pytest.raises(ValueError, match="closed"):
        loop.run_until_complete(connect(asyncio.Protocol, file))


def test_devices_have_a_pipe_too(loop: EventLoop) -> None:
    async def main() -> None:
        nothing = open("/dev/null", "rb", buffering=0)  # noqa: SIM115
        _, reader = await loop.connect_read_pipe(Recorder, nothing)
        await reader.lost
        assert reader.events == ["made", "eof", "lost"]
        transport, writer = await loop.connect_write_pipe(Recorder, open("/dev/null", "wb", buffering=0))  # noqa: SIM115
        transport.write(bytes(1 << 20))
        assert transport.get_write_buffer_size() == 0
        transport.close()
        await writer.lost
        assert writer.error is None

    if loop._must_poll:
        pytest.skip("the standard library's epoll selector refuses /dev/null")
    loop.run_until_complete(main())


@pytest.mark.parametrize("by", ["file", "number"])
@pytest.mark.parametrize("method", READS_OR_WRITES)
def test_closed_under_its_transport_it_ends(loop: EventLoop, method: str, by: str) -> None:
    async def main() -> None:
        ours, theirs = file_for(method)
        _, protocol = await getattr(loop, method)(Recorder, ours)
        if by == "file":
            ours.close()
        else:
            os.close(ours.fileno())
        # Whoever waits looks after its files; a timer makes it wait often.
        while not protocol.lost.done():
            await asyncio.sleep(0.001)
        assert isinstance(protocol.error, OSError)
        assert protocol.error.errno == errno.EBADF
        theirs.close()

    run_in_time(loop, main())


@pytest.mark.parametrize("method", READS_OR_WRITES)
def test_forgotten_it_warns_and_closes_its_file(loop: EventLoop, method: str) -> None:
    ours, theirs = file_for(method)

    def drop() -> None:
        loop.run_until_complete(getattr(loop, method)(asyncio.Protocol, ours))
        loop.close()
        collect()

    with pytest.warns(ResourceWarning, match=r"unclosed transport <.*PipeTransport open"):
        drop()
    assert ours.closed
    theirs.close()


@pytest.mark.parametrize("method", READS_OR_WRITES)
def test_after_the_loop_it_can_still_be_closed(method: str) -> None:
    for selector in SELECTORS:
        for loop in opened(selector):
            ours, theirs = file_for(method)
            transport, _ = loop.run_until_complete(getattr(loop, method)(asyncio.Protocol, ours))
            loop.close()
            transport.close()
            assert ours.closed
            theirs.close()


@pytest.mark.parametrize("where", ["connection_made", "data_received", "eof_received"])
def test_a_protocol_that_raises_loses_its_pipe_and_no_other(loop: EventLoop, where: str) -> None:
    class Raising(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.fall("connection_made")

        def data_received(self, data: bytes) -> None:  # noqa: ARG002
            self.fall("data_received")

        def eof_received(self) -> bool:
            self.fall("eof_received")
            return False

        def fall(self, method: str) -> None:
            if method == where:
                raise LookupError(where)

    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))

    async def main() -> None:
        _, other, others = await reading(loop)
        transport, protocol, theirs = await reading(loop, factory=Raising)
        with suppress(BrokenPipeError):  # it may be lost already
            send(theirs, b"x")
        theirs.close()
        await protocol.lost
        assert isinstance(protocol.error, LookupError)
        assert [context["exception"] for context in reported] == [protocol.error]
        assert where in reported[0]["message"]
        assert reported[0]["transport"] is transport
        send(others, b"goes on")
        others.close()
        await other.lost
        assert other.data == b"goes on"

    loop.run_until_complete(main())


def test_a_buffered_protocol_gives_the_buffer(loop: EventLoop) -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer = bytearray(3)
            self.data = bytearray()
            self.lost = loop.create_future()

        def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.data += self.buffer[:nbytes]

        def connection_lost(self, exc: Exception | None) -> None:
            self.lost.set_result(exc)

    async def main() -> None:
        _, protocol, theirs = await reading(loop, factory=Buffered)
        send(theirs, b"in small pieces")
        theirs.close()
        assert await protocol.lost is None
        assert protocol.data == b"in small pieces"

    loop.run_until_complete(main())


def test_streams_of_the_standard_library_on_pipes(loop: EventLoop) -> None:
    async def main() -> None:
        ours, theirs = ends("pipe")
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), ours)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, theirs)
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        for line in (b"one\n", b"two\n"):
            writer.write(line)
            await writer.drain()
            assert await reader.readline() == line
        writer.close()
        assert await reader.read() == b""

    loop.run_until_complete(main())


def test_its_file_is_its_own(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await reading(loop)
        pipe = transport.get_extra_info("pipe")
        for refused in (loop.add_reader, loop.add_writer):
            with pytest.raises(RuntimeError, match="close the transport first"):
                refused(pipe, int)
        with pytest.raises(RuntimeError, match="close the transport first"):
            await loop.connect_read_pipe(Recorder, pipe)
        transport.close()
        theirs.close()
        await protocol.lost
        assert protocol.events == ["made", "lost"]

    loop.run_until_complete(main())


def test_a_terminal_has_a_transport_in_each_direction(loop: EventLoop) -> None:
    async def main() -> None:
        other, ours = ends("terminal")
        number = ours.detach() if hasattr(ours, "detach") else os.dup(ours.fileno())
        ours = file_of(number, "r+b")
        answers, reader = await loop.connect_read_pipe(Recorder, ours)
        questions, writer = await loop.connect_write_pipe(Recorder, ours)
        questions.write(b"question")
        assert os.read(other.fileno(), 100) == b"question"
        send(file_of(os.dup(other.fileno()), "r+b"), b"answer")
        while reader.data != b"answer":
            await asyncio.sleep(0)
        questions.close()
        answers.close()
        await writer.lost
        await reader.lost
        other.close()

    loop.run_until_complete(main())


@pytest.mark.parametrize("method", READS_OR_WRITES)
def test_cancelled_while_it_connects_it_closes_its_file(loop: EventLoop, method: str) -> None:
    async def main() -> None:
        ours, theirs = file_for(method)
        protocol = Recorder()
        connecting = loop.create_task(getattr(loop, method)(lambda: protocol, ours))
        await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await protocol.lost
        await asyncio.sleep(0)
        assert ours.closed
        assert protocol.events == ["made", "lost"]
        theirs.close()

    loop.run_until_complete(main())


@pytest.mark.parametrize("method", READS_OR_WRITES)
def test_a_factory_that_raises_leaves_the_file_alone(loop: EventLoop, method: str) -> None:
    ours, theirs = file_for(method)
    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(getattr(loop, method)(lambda: 1 / 0, ours))
    turn(loop)
    assert not ours.closed
    ours.close()
    theirs.close()


@pytest.mark.skipif("select" not in OURS, reason="there is no select here")
def test_a_number_that_select_cannot_watch_is_told_to_whoever_connects_it() -> None:
    for loop in opened("select"):
        reader, writer = os.pipe()
        if not _many_files():
            pytest.skip("this process may have no number above FD_SETSIZE")
        number = os.dup2(reader, 1500)
        os.close(reader)
        file = file_of(number, "rb")
        with pytest.raises(ValueError, match="FD_SETSIZE"):
            loop.run_until_complete(loop.connect_read_pipe(asyncio.Protocol, file))
        assert not file.closed
        assert os.get_blocking(number)
        file.close()
        os.close(writer)


def _many_files() -> bool:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1500
