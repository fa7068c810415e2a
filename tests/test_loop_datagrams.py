"""Datagram endpoints."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop
from wine import ON_WINE

HERE = ("127.0.0.1", 0)


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


class Mailbox(asyncio.DatagramProtocol):
    """Keeps what comes, and tells who waits for it."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()
        self.events: list[str] = []
        self.lost = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.events.append("made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.errors.put_nowait(exc)

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost.set_result(exc)


async def mailbox(loop: EventLoop, **options: Any) -> Mailbox:
    _, protocol = await loop.create_datagram_endpoint(Mailbox, **options)
    assert isinstance(protocol, Mailbox)
    return protocol


def test_datagrams_keep_their_boundaries_and_senders(loop: EventLoop) -> None:
    async def main() -> None:
        one, other = await mailbox(loop, local_addr=HERE), await mailbox(loop, local_addr=HERE)
        told = one.transport.get_extra_info
        address = told("sockname")
        assert (told("peername"), told("socket").type) == (None, socket.SOCK_DGRAM)
        assert isinstance(one.transport, asyncio.Transport)  # programs ask, as CPython's own tests do
        sizes = [0, 1, 1000, 60_000, 0, 2]
        for size in sizes:
            mutable = bytearray(b"x" * size)
            other.transport.sendto(mutable, address)
            mutable[:] = b"y" * size
        sender = other.transport.get_extra_info("sockname")
        assert [await one.received.get() for _ in sizes] == [(b"x" * size, sender) for size in sizes]
        one.transport.sendto(b"answer", sender)
        assert await other.received.get() == (b"answer", address)
        for box in (one, other):
            box.transport.close()
            assert box.transport.is_closing()
            assert box.events == ["made"]
            assert await box.lost is None
            assert box.events == ["made", "lost"]

    loop.run_until_complete(main())


def test_a_connected_endpoint_has_one_peer(loop: EventLoop) -> None:
    async def main() -> None:
        server = await mailbox(loop, local_addr=HERE)
        address = server.transport.get_extra_info("sockname")
        client = await mailbox(loop, remote_addr=address)
        assert client.transport.get_extra_info("peername") == address
        client.transport.sendto(b"a")
        client.transport.sendto(b"b", address)
        with pytest.raises(ValueError, match="must be None or"):
            client.transport.sendto(b"c", ("127.0.0.1", 9))
        assert [(await server.received.get())[0] for _ in range(2)] == [b"a", b"b"]
        client.transport.close()
        server.transport.close()

    loop.run_until_complete(main())


@pytest.mark.skipif(ON_WINE, reason="Wine tells nobody that a port is closed")
def test_who_sends_to_nobody_is_told_and_goes_on(loop: EventLoop) -> None:
    async def main() -> None:
        server = await mailbox(loop, local_addr=HERE)
        address = server.transport.get_extra_info("sockname")
        server.transport.abort()
        await server.lost
        client = await mailbox(loop, remote_addr=address)
        client.transport.sendto(b"anybody there?")
        assert isinstance(await client.errors.get(), ConnectionError)
        revived = await mailbox(loop, local_addr=address)
        client.transport.sendto(b"again")
        assert (await revived.received.get())[0] == b"again"
        assert client.events == ["made"]
        client.transport.close()
        revived.transport.close()

    loop.run_until_complete(main())


def test_a_datagram_that_is_too_long_is_told(loop: EventLoop) -> None:
    async def main() -> None:
        server = await mailbox(loop, local_addr=HERE)
        server.transport.sendto(bytes(70_000), server.transport.get_extra_info("sockname"))
        error = await server.errors.get()
        assert isinstance(error, OSError)
        assert error.errno in (errno.EMSGSIZE, 10040)
        server.transport.close()

    loop.run_until_complete(main())


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_flow_control_and_close_send_all(loop: EventLoop, tmp_path: Path) -> None:
    """Unix datagrams wait for a reader, where UDP's are dropped."""
    path = str(tmp_path / "there")

    async def main() -> None:
        server = await mailbox(loop, local_addr=path, family=socket.AF_UNIX)
        client = await mailbox(loop, remote_addr=path, family=socket.AF_UNIX)
        client.transport.set_write_buffer_limits(high=100, low=0)
        sent = 0
        while "pause" not in client.events:
            client.transport.sendto(b"%d" % sent)
            sent += 1
        assert client.transport.get_write_buffer_size() > 100
        for _ in range(3):
            client.transport.sendto(b"%d" % sent)
            sent += 1
        client.transport.close()
        received = [(await server.received.get())[0] for _ in range(sent)]
        assert received == [b"%d" % number for number in range(sent)]
        assert await client.lost is None
        assert client.events == ["made", "pause", "resume", "lost"]
        server.transport.close()

    loop.run_until_complete(main())
    os.remove(path)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")
def test_options_of_the_socket(loop: EventLoop) -> None:
    async def main() -> None:
        one = await mailbox(loop, local_addr=HERE, reuse_port=True)
        address = one.transport.get_extra_info("sockname")
        other = await mailbox(loop, local_addr=address, reuse_port=True, allow_broadcast=True)
        assert other.transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)
        open_to_all = await mailbox(loop, remote_addr=address, allow_broadcast=True)
        assert open_to_all.transport.get_extra_info("peername") is None
        open_to_all.transport.sendto(b"x")
        pending = [loop.create_task(box.received.get()) for box in (one, other)]
        done, waiting = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        assert done.pop().result()[0] == b"x"
        waiting.pop().cancel()
        for box in (one, other, open_to_all):
            box.transport.close()

    loop.run_until_complete(main())


def test_a_callback_that_raises_ends_this_endpoint_only(loop: EventLoop) -> None:
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))

    class Failing(Mailbox):
        def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
            raise LookupError("planted")

    async def main() -> None:
        _, failing = await loop.create_datagram_endpoint(Failing, HERE)
        sound = await mailbox(loop, local_addr=HERE)
        assert isinstance(failing, Failing)
        sound.transport.sendto(b"x", failing.transport.get_extra_info("sockname"))
        assert isinstance(await failing.lost, LookupError)
        assert [type(context["exception"]) for context in told] == [LookupError]
        sound.transport.sendto(b"y", sound.transport.get_extra_info("sockname"))
        assert (await sound.received.get())[0] == b"y"
        sound.transport.close()

    loop.run_until_complete(main())


def test_a_socket_closed_underfoot_ends_the_endpoint(loop: EventLoop) -> None:
    async def main() -> None:
        box = await mailbox(loop, local_addr=HERE)
        socket.close(box.transport.get_extra_info("socket").fileno())
        box.transport.sendto(b"x", HERE)
        error = await box.lost
        assert isinstance(error, OSError)
        assert error.errno in (errno.EBADF, 10038)

    loop.run_until_complete(main())


def test_a_socket_of_the_programs_own(loop: EventLoop) -> None:
    async def main() -> None:
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.bind(HERE)
        box = await mailbox(loop, sock=sock)
        box.transport.sendto(b"to myself", sock.getsockname())
        assert await box.received.get() == (b"to myself", sock.getsockname())
        box.transport.close()

    loop.run_until_complete(main())


def test_sending_after_the_end_is_dropped_and_logged(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        box = await mailbox(loop, local_addr=HERE)
        box.transport.abort()
        for _ in range(5):
            box.transport.sendto(b"x", HERE)
        await box.lost

    loop.run_until_complete(main())
    assert caplog.text.count("after the connection was closed") == 1


def test_arguments_that_do_not_fit_together(loop: EventLoop) -> None:
    create = loop.create_datagram_endpoint
    with socket.socket(type=socket.SOCK_DGRAM) as sock, socket.socket() as stream:
        for call, error in (
            (create(Mailbox), ValueError),
            (create(Mailbox, sock=stream), ValueError),
            (create(Mailbox, HERE, sock=sock), ValueError),
            (create(Mailbox, sock=sock, reuse_port=True), ValueError),
            (create(Mailbox, "127.0.0.1:80"), TypeError),
            (create(Mailbox, ("127.0.0.1", 0), ("::1", 9)), ValueError),
        ):
            with pytest.raises(error):
                loop.run_until_complete(call)

    async def main() -> None:
        box = await mailbox(loop, local_addr=HERE)
        with pytest.raises(TypeError, match="bytes"):
            box.transport.sendto("text")
        with pytest.raises((TypeError, ValueError)):  # PyPy's sockets raise the latter
            box.transport.sendto(b"x", "nowhere")
        assert not box.transport.is_closing()
        box.transport.close()

    loop.run_until_complete(main())
