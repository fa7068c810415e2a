"""TLS: the transport over a socket, over another TLS transport, and in the middle of a connection."""

from __future__ import annotations

import asyncio
import io
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop
from muxloop.conformance.player.tls_peer import client_context, server_context
from recorded_connections import Recorder
from tls_connections import connected


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_a_connection_from_beginning_to_end(loop: EventLoop) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop)
        told = ours.transport.get_extra_info
        assert told("ssl_object").version() == "TLSv1.3"
        assert told("cipher") == told("ssl_object").cipher()
        assert told("peercert")["subject"] == ((("commonName", "localhost"),),)
        assert isinstance(told("sslcontext"), ssl.SSLContext)
        assert told("peername") == server.sockets[0].getsockname()
        assert told("socket").family == socket.AF_INET
        assert told("nothing", 7) == 7
        assert not ours.transport.can_write_eof()
        with pytest.raises(NotImplementedError):
            ours.transport.write_eof()
        ours.transport.write(b"hello")
        ours.transport.close()
        assert ours.transport.is_closing()
        assert ours.events == ["made"]
        await theirs.lost
        await ours.lost
        assert theirs.events == ["made", "data", "eof", "lost"]
        assert theirs.data == b"hello"
        assert (theirs.error, ours.error) == (None, None)
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())


def test_any_split_into_writes_arrives_in_order_both_ways(loop: EventLoop) -> None:
    rng = random.Random(11)
    data = rng.randbytes(1_500_000)

    def write(transport: Any) -> None:
        position = 0
        while position < len(data):
            piece = bytearray(data[position : position + rng.choice([1, 100, 5_000, 200_000])])
            transport.write(rng.choice([bytes, memoryview, bytearray])(piece))
            position += len(piece)
            if len(piece) < 200:
                piece[:] = bytes(len(piece))  # what was written is not what is in the buffer now

    async def main() -> None:
        server, theirs, ours = await connected(loop)
        write(ours.transport)
        write(theirs.transport)
        while len(ours.data) < len(data) or len(theirs.data) < len(data):
            await asyncio.sleep(0)
        assert ours.data == data
        assert theirs.data == data
        theirs.transport.close()
        await ours.lost
        server.close()

    loop.run_until_complete(main())


def test_items_may_be_wide_or_lie_apart(loop: EventLoop) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop)
        wide = memoryview(bytes(range(200))).cast("I")
        apart = memoryview(bytes(range(200)))[::2]
        ours.transport.write(wide)
        ours.transport.write(apart)
        ours.transport.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
        ours.transport.close()
        await theirs.lost
        assert theirs.data == bytes(range(200)) + bytes(range(0, 200, 2)) + b"abc"
        server.close()

    loop.run_until_complete(main())


def test_close_sends_what_was_written_though_the_peer_goes_on_sending(loop: EventLoop) -> None:
    """gh-125981: CPython's loop drops it."""
    data = bytes(range(256)) * 20_000

    async def main() -> None:
        server, theirs, ours = await connected(loop)
        theirs.transport.pause_reading()
        ours.transport.write(data)
        ours.transport.close()
        for _ in range(50):
            theirs.transport.write(bytes(5_000))
            await asyncio.sleep(0)
        theirs.transport.resume_reading()
        await theirs.lost
        await ours.lost
        assert theirs.data == data
        assert ours.data == b""  # nothing is delivered after close()
        assert (theirs.error, ours.error) == (None, None)
        server.close()

    loop.run_until_complete(main())


def test_flow_control_counts_plain_and_encrypted_bytes(loop: EventLoop) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop)
        theirs.transport.pause_reading()
        assert ours.transport.get_write_buffer_limits() == (128 * 1024, 512 * 1024)
        ours.transport.set_write_buffer_limits(high=0)
        sent = 0
        while "pause" not in ours.events:
            ours.transport.write(bytes(50_000))
            sent += 50_000
        assert ours.transport.get_write_buffer_size() > 0
        theirs.transport.resume_reading()
        while "resume" not in ours.events:
            await asyncio.sleep(0)
        assert ours.transport.get_write_buffer_size() == 0
        ours.transport.close()
        await theirs.lost
        assert len(theirs.data) == sent
        assert [event for event in ours.events if event in ("pause", "resume")] == ["pause", "resume"]
        server.close()

    loop.run_until_complete(main())


def test_no_data_comes_while_reading_is_paused_and_none_is_lost(loop: EventLoop) -> None:
    class Hesitant(Recorder):
        """Pauses in each data_received."""

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()
            assert not self.transport.is_reading()
            loop.call_soon(self.transport.resume_reading)

    async def main() -> None:
        server, theirs, ours = await connected(loop)
        hesitant = Hesitant()
        hesitant.events.append("made")
        hesitant.transport = ours.transport
        ours.transport.set_protocol(hesitant)
        data = bytes(range(256)) * 4_000
        theirs.transport.write(data)
        theirs.transport.close()
        await hesitant.lost
        assert hesitant.data == data
        assert hesitant.events == ["made", "data", "eof", "lost"]
        server.close()

    loop.run_until_complete(main())


def test_a_buffered_protocol_gets_its_bytes_in_its_own_buffer(loop: EventLoop) -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.room = bytearray(7)
            self.data = bytearray()
            self.ended: asyncio.Future[None] = loop.create_future()

        def get_buffer(self, _: int) -> bytearray:
            return self.room

        def buffer_updated(self, nbytes: int) -> None:
            self.data += self.room[:nbytes]

        def eof_received(self) -> None:
            self.ended.set_result(None)

    async def main() -> None:
        server, theirs, ours = await connected(loop)
        buffered = Buffered()
        ours.transport.set_protocol(buffered)
        theirs.transport.write(bytes(range(250)))
        theirs.transport.close()
        await buffered.ended
        assert buffered.data == bytes(range(250))
        server.close()

    loop.run_until_complete(main())


def test_start_tls_on_streams_and_tls_within_tls(loop: EventLoop) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"one", b"two"):
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"go ahead\n")
            await writer.start_tls(server_context())
            writer.write(answer + await reader.readexactly(1))
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for answer in (b"one!", b"two!"):
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"go ahead\n"
            await writer.start_tls(client_context(), server_hostname="localhost")
            writer.write(b"!")
            assert await reader.readexactly(4) == answer
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    loop.run_until_complete(asyncio.wait_for(main(), 60))


def test_a_protocol_paused_before_start_tls_is_resumed_after_it(loop: EventLoop) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        transport.write(bytes(300_000))
        assert protocol.events == ["made", "pause"]
        upgrading = loop.create_task(
            loop.start_tls(transport, protocol, client_context(), server_hostname="localhost")
        )
        far, far_protocol = await loop.create_connection(Recorder, sock=theirs)
        while len(far_protocol.data) < 300_000:
            await asyncio.sleep(0)
        greeted = bytes(far_protocol.data[300_000:])
        assert greeted[:1] in (b"", b"\x16")  # the handshake comes after all that was written
        while "resume" not in protocol.events:
            await asyncio.sleep(0)
        far.abort()
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await upgrading
        await far_protocol.lost

    loop.run_until_complete(main())


@pytest.mark.parametrize("count", [None, 100_000], ids=["all", "some"])
def test_a_file_is_sent_by_reading_it(loop: EventLoop, count: int | None) -> None:
    data = random.Random(3).randbytes(700_000)
    tried = threading.Event()

    class Held(io.BytesIO):
        """From 3.14 on a job that is quicker than the call takes no turn of the loop."""

        def read(self, size: int | None = -1) -> bytes:
            tried.wait()
            return super().read(size)

    async def main() -> None:
        server, theirs, ours = await connected(loop)
        ours.transport.write(b"head")
        file = Held(data)
        sending = loop.create_task(loop.sendfile(ours.transport, file, 10, count))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="sendfile"):
            ours.transport.write(b"in between")
        tried.set()
        expected = data[10:] if count is None else data[10 : 10 + count]
        assert await sending == len(expected)
        assert file.tell() == 10 + len(expected)
        with pytest.raises(RuntimeError, match="encrypt"):
            await loop.sendfile(ours.transport, file, fallback=False)
        ours.transport.close()
        await theirs.lost
        assert theirs.data == b"head" + expected
        server.close()

    loop.run_until_complete(main())


def test_a_file_that_is_being_sent_when_the_connection_ends(loop: EventLoop) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop)
        theirs.transport.pause_reading()
        sending = loop.create_task(loop.sendfile(ours.transport, io.BytesIO(bytes(30_000_000))))
        while not ours.transport.get_write_buffer_size():
            await asyncio.sleep(0)
        ours.transport.abort()
        with pytest.raises(ConnectionError, match="file"):
            await sending
        theirs.transport.abort()  # paused, it does not see the end
        await theirs.lost
        server.close()

    loop.run_until_complete(main())


@pytest.mark.parametrize("ending", ["close_clients", "abort_clients"])
def test_a_server_ends_its_connections(loop: EventLoop, ending: str) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop)
        theirs.transport.write(b"last words")
        server.close()
        getattr(server, ending)()
        await server.wait_closed()
        await ours.lost
        assert ours.data == b"last words"
        if ending == "close_clients":  # by close_notify, not by a cut
            assert ours.events == ["made", "data", "eof", "lost"]

    loop.run_until_complete(main())


def test_a_true_result_of_eof_received_is_of_no_effect(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop, keep_open=True)
        ours.transport.close()
        await theirs.lost
        server.close()

    loop.run_until_complete(main())
    assert "eof_received() has no effect" in caplog.text
