"""The TCP transport."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened, turn
from muxloop import EventLoop
from recorded_connections import Recorder, connect, read_all
from wine import ON_WINE


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_a_connection_from_beginning_to_end(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        assert transport.get_extra_info("peername") == theirs.getsockname()
        assert transport.get_extra_info("sockname") == theirs.getpeername()
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert transport.get_extra_info("nothing", 42) == 42
        assert transport.get_protocol() is protocol
        transport.write(b"to them")
        assert await loop.sock_recv(theirs, 100) == b"to them"
        await loop.sock_sendall(theirs, b"to us")
        theirs.close()
        await protocol.lost
        assert protocol.events == ["made", "data", "eof", "lost"]
        assert protocol.data == b"to us"
        assert protocol.error is None
        assert transport.is_closing()

    loop.run_until_complete(main())


def test_what_is_the_program_s_may_hang_on_a_transport(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        written: list[bytes] = []
        asyncio.StreamWriter(transport, protocol, None, loop).write(b"to them")
        transport.write = written.append
        asyncio.StreamWriter(transport, protocol, None, loop).write(b"to nobody")
        assert (written, await loop.sock_recv(theirs, 100)) == ([b"to nobody"], b"to them")
        theirs.close()
        await protocol.lost

    loop.run_until_complete(main())


@pytest.mark.parametrize("ending", ["close", "abort"])
def test_connection_lost_comes_once_and_never_inside_the_call(loop: EventLoop, ending: str) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        for _ in range(3):
            getattr(transport, ending)()
            transport.abort()
            assert protocol.events == ["made"]
        with theirs:
            await protocol.lost
            await asyncio.sleep(0)
        assert protocol.events == ["made", "lost"]

    loop.run_until_complete(main())


def test_any_split_into_writes_arrives_in_order(loop: EventLoop) -> None:
    rng = random.Random(4)
    data = rng.randbytes(600_000)

    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        position = 0
        while position < len(data):
            size = rng.choice([1, 10, 1000, 50_000])
            piece: Any = data[position : position + size]
            kind = rng.randrange(5)
            if kind == 0:
                transport.write(piece)
            elif kind == 1:
                mutable = bytearray(piece)
                transport.write(mutable)
                mutable[:] = bytes(len(mutable))  # what was written is not what is in the buffer now
            elif kind == 2:
                mutable = bytearray(piece)
                transport.write(memoryview(mutable))
                mutable[:] = bytes(len(mutable))
            elif kind == 3:
                transport.write(memoryview(bytes(b for byte in piece for b in (byte, 0)))[::2])
            else:
                transport.writelines([piece[:5], bytearray(piece[5:7]), memoryview(piece[7:])])
            position += size
        transport.close()
        with theirs:
            assert await read_all(loop, theirs) == data
        await protocol.lost
        assert protocol.error is None

    loop.run_until_complete(main())


def test_writing_wide_items_counts_bytes(loop: EventLoop) -> None:
    async def main() -> None:
        transport, _, theirs = await connect(loop)
        data = memoryview(bytes(range(256)) * 2000).cast("I")
        transport.write(data)
        transport.close()
        with theirs:
            assert await read_all(loop, theirs) == data.tobytes()

    loop.run_until_complete(main())


def test_flow_control_is_balanced(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        transport.set_write_buffer_limits(high=50_000, low=10_000)
        assert transport.get_write_buffer_limits() == (10_000, 50_000)
        while "pause" not in protocol.events:
            before = transport.get_write_buffer_size()
            assert before <= 50_000
            transport.write(bytes(10_000))
        assert transport.get_write_buffer_size() > 50_000
        transport.write(bytes(100_000))
        assert protocol.events == ["made", "pause"]
        while "resume" not in protocol.events:
            assert transport.get_write_buffer_size() > 10_000
            await loop.sock_recv(theirs, 4096)
        assert transport.get_write_buffer_size() <= 10_000
        assert protocol.events == ["made", "pause", "resume"]
        transport.abort()
        theirs.close()
        await protocol.lost

    loop.run_until_complete(main())


def test_limits_of_zero_pause_at_the_first_buffered_byte(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        transport.set_write_buffer_limits(0)
        while not transport.get_write_buffer_size():
            transport.write(bytes(1000))
        assert protocol.events == ["made", "pause"]
        with pytest.raises(ValueError, match="high >= low"):
            transport.set_write_buffer_limits(1, 2)
        transport.abort()
        theirs.close()

    loop.run_until_complete(main())


def test_pausing_reading_may_be_repeated_and_loses_nothing(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        for _ in range(2):
            transport.pause_reading()
        assert not transport.is_reading()
        await loop.sock_sendall(theirs, b"while paused")
        for _ in range(5):
            await asyncio.sleep(0)
        assert not protocol.data
        for _ in range(2):
            transport.resume_reading()
        assert transport.is_reading()
        theirs.close()
        await protocol.lost
        assert protocol.data == b"while paused"

    loop.run_until_complete(main())


def test_write_eof_flushes_first_and_reading_goes_on(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        transport.write(bytes(300_000))
        assert transport.can_write_eof()
        transport.write_eof()
        transport.write_eof()
        with pytest.raises(RuntimeError, match="write_eof"):
            transport.write(b"more")
        with theirs:
            assert len(await read_all(loop, theirs)) == 300_000
            await loop.sock_sendall(theirs, b"answer")
        await protocol.lost
        assert protocol.data == b"answer"

    loop.run_until_complete(main())


def test_true_from_eof_received_keeps_the_transport_open(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop, lambda: Recorder(keep_open=True))
        theirs.shutdown(socket.SHUT_WR)
        while "eof" not in protocol.events:
            await asyncio.sleep(0)
        assert transport.is_reading()  # only pause_reading() changes that
        transport.resume_reading()
        transport.pause_reading()
        transport.resume_reading()
        for _ in range(3):
            await asyncio.sleep(0)
        transport.write(b"still here")
        transport.close()
        with theirs:
            assert await read_all(loop, theirs) == b"still here"
        await protocol.lost
        assert protocol.events == ["made", "eof", "lost"]

    loop.run_until_complete(main())


def test_writing_after_the_end_is_ignored_and_warned_of_from_the_fifth_time(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        with theirs:
            transport.close()
            for _ in range(4):
                transport.write(b"x")
            assert not caplog.records
            transport.write(b"x")
            assert len(caplog.records) == 1
            await protocol.lost
            assert await read_all(loop, theirs) == b""

    with caplog.at_level(logging.WARNING, "asyncio"):
        loop.run_until_complete(main())


def test_what_is_not_bytes_is_refused(loop: EventLoop) -> None:
    async def main() -> None:
        transport, _, theirs = await connect(loop)
        with theirs, pytest.raises(TypeError, match="bytes"):
            transport.write("text")
        transport.abort()

    loop.run_until_complete(main())


@pytest.mark.parametrize("method", ["connection_made", "data_received", "eof_received"])
def test_a_protocol_that_raises_ends_its_own_connection_only(loop: EventLoop, method: str) -> None:
    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))

    def failing(*_: object) -> None:
        raise BlockingIOError if method == "data_received" else ZeroDivisionError

    def factory() -> Recorder:
        protocol = Recorder()
        setattr(protocol, method, failing)
        return protocol

    async def main() -> None:
        _, protocol, theirs = await connect(loop, factory)
        other_transport, other, other_peer = await connect(loop)
        if method != "connection_made":
            await loop.sock_sendall(theirs, b"x")
        theirs.shutdown(socket.SHUT_WR)
        await protocol.lost
        theirs.close()
        await loop.sock_sendall(other_peer, b"fine")
        other_peer.close()
        await other.lost
        assert other.data == b"fine"
        assert other_transport.is_closing()
        assert protocol.error is not None

    loop.run_until_complete(main())
    if method != "data_received":  # an OSError counts as the network's
        assert [type(context["exception"]) for context in contexts] == [ZeroDivisionError]
        assert method in contexts[0]["message"]


def test_buffered_protocols(loop: EventLoop) -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer = bytearray(3)
            self.received = bytearray()
            self.lost = asyncio.get_running_loop().create_future()

        def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.received += self.buffer[:nbytes]
            if len(self.received) == 9:
                self.buffer = bytearray()  # an empty one is an error

        def connection_lost(self, error: Exception | None) -> None:
            self.lost.set_result(error)

    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))

    async def main() -> None:
        transport, plain, theirs = await connect(loop)
        buffered = Buffered()
        transport.set_protocol(buffered)
        assert transport.get_protocol() is buffered
        with theirs:
            await loop.sock_sendall(theirs, b"123456789 and too much")
            error = await buffered.lost
        assert buffered.received == b"123456789"
        assert isinstance(error, RuntimeError)
        assert plain.events == ["made"]

    loop.run_until_complete(main())
    assert len(contexts) == 1


def test_nobody_else_may_watch_a_transport_s_file(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        sock = transport.get_extra_info("socket")
        for call in (
            lambda: loop.add_reader(sock, int),
            lambda: loop.add_writer(sock.fileno(), int),
            lambda: loop.remove_reader(sock),
            lambda: loop.remove_writer(sock.fileno()),
        ):
            with pytest.raises(RuntimeError, match="used by"):
                call()
        await loop.sock_sendall(theirs, b"intact")
        theirs.close()
        await protocol.lost
        assert protocol.data == b"intact"

    loop.run_until_complete(main())


@pytest.mark.skipif(ON_WINE, reason="Wine 8 reports a reset as the end of the stream")
def test_a_reset_reaches_the_protocol_as_an_error(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol, theirs = await connect(loop)
        transport.write(b"unread")
        await asyncio.sleep(0.01)
        at_once = struct.pack("HH" if sys.platform == "win32" else "ii", 1, 0)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        theirs.close()
        await protocol.lost
        assert isinstance(protocol.error, ConnectionResetError)
        assert protocol.events == ["made", "lost"]

    loop.run_until_complete(main())


def test_an_unclosed_transport_is_a_resource_warning(loop: EventLoop) -> None:
    async def main() -> socket.socket:
        transport, _, theirs = await connect(loop, asyncio.Protocol)
        transport.pause_reading()
        return theirs

    def drop() -> socket.socket:
        theirs = loop.run_until_complete(main())
        turn(loop)
        gc.collect()
        return theirs

    with pytest.warns(ResourceWarning, match="unclosed transport"):
        theirs = drop()
    with theirs:
        assert loop.run_until_complete(read_all(loop, theirs)) == b""
