"""The ``sock_*`` coroutines."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setblocking(False)
        yield sock


def test_data_arrives_whole(loop: EventLoop, pair: Pair) -> None:
    ours, theirs = pair
    data = bytes(range(256)) * 8192

    async def main() -> bytes:
        sending = loop.create_task(loop.sock_sendall(ours, memoryview(bytearray(data))))
        received = bytearray()
        buffer = bytearray(5000)
        while len(received) < len(data):
            received += await loop.sock_recv(theirs, 70_000)
            if len(received) < len(data):
                size = await loop.sock_recv_into(theirs, buffer)
                received += buffer[:size]
        await sending
        return bytes(received)

    assert loop.run_until_complete(main()) == data


def test_receiving_waits_and_ends(loop: EventLoop, pair: Pair) -> None:
    ours, theirs = pair
    loop.call_later(0.005, theirs.send, b"late")
    assert loop.run_until_complete(loop.sock_recv(ours, 10)) == b"late"
    theirs.close()
    assert loop.run_until_complete(loop.sock_recv(ours, 10)) == b""
    assert loop.remove_reader(ours) is False


def test_connecting_and_accepting(loop: EventLoop, listener: socket.socket) -> None:
    async def main() -> None:
        accepting = loop.create_task(loop.sock_accept(listener))
        await asyncio.sleep(0)
        with socket.socket() as client:
            client.setblocking(False)
            host, port = listener.getsockname()
            await loop.sock_connect(client, (host, port))
            server, address = await accepting
            with server:
                assert address == client.getsockname()
                assert server.gettimeout() == 0
                await loop.sock_sendall(server, b"hello")
                assert await loop.sock_recv(client, 10) == b"hello"

    loop.run_until_complete(main())


def test_a_refused_connection_is_an_error(loop: EventLoop, listener: socket.socket) -> None:
    address = listener.getsockname()
    listener.close()
    with socket.socket() as client:
        client.setblocking(False)
        with pytest.raises(ConnectionRefusedError):
            loop.run_until_complete(loop.sock_connect(client, address))
        assert loop.remove_writer(client) is False


def test_datagrams(loop: EventLoop) -> None:
    async def main() -> None:
        buffer = bytearray(10)
        waiting = loop.create_task(loop.sock_recvfrom(ours, 10))
        await asyncio.sleep(0)
        assert await loop.sock_sendto(theirs, b"one", ours.getsockname()) == 3
        assert await waiting == (b"one", theirs.getsockname())
        await loop.sock_sendto(theirs, b"two", ours.getsockname())
        assert await loop.sock_recvfrom_into(ours, buffer) == (3, theirs.getsockname())
        assert buffer.startswith(b"two")

    with socket.socket(type=socket.SOCK_DGRAM) as ours, socket.socket(type=socket.SOCK_DGRAM) as theirs:
        for sock in (ours, theirs):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
        loop.run_until_complete(main())


@pytest.mark.parametrize("when", ["before data", "as data comes"])
def test_a_cancelled_call_loses_no_data_and_leaves_nothing_behind(
    loop: EventLoop, pair: Pair, when: str
) -> None:
    ours, theirs = pair

    async def main() -> None:
        receiving = loop.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        if when == "before data":
            receiving.cancel()
        else:
            # What is queued already runs before what the next poll finds.
            theirs.send(b"data")
            loop.call_soon(receiving.cancel)
        with pytest.raises(asyncio.CancelledError):
            await receiving
        assert loop.remove_reader(ours) is False
        if when == "before data":
            theirs.send(b"data")
        assert await loop.sock_recv(ours, 10) == b"data"

    loop.run_until_complete(main())


def test_a_cancelled_accept_loses_no_connection(loop: EventLoop, listener: socket.socket) -> None:
    async def main() -> None:
        accepting = loop.create_task(loop.sock_accept(listener))
        await asyncio.sleep(0)
        with socket.create_connection(listener.getsockname()) as client:
            loop.call_soon(accepting.cancel)  # runs before what the next poll finds
            with pytest.raises(asyncio.CancelledError):
                await accepting
            server, address = await loop.sock_accept(listener)
            server.close()
            assert address == client.getsockname()

    loop.run_until_complete(main())


def test_cancelled_senders_and_connectors_leave_nothing_behind(loop: EventLoop, pair: Pair) -> None:
    ours, _ = pair

    async def main() -> None:
        sending = loop.create_task(loop.sock_sendall(ours, bytes(10_000_000)))
        await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert loop.remove_writer(ours) is False

    loop.run_until_complete(main())


def test_debug_mode_refuses_blocking_sockets(loop: EventLoop, pair: Pair) -> None:
    ours, _ = pair
    ours.setblocking(True)
    loop.set_debug(True)
    for call in (
        loop.sock_recv(ours, 1),
        loop.sock_recv_into(ours, bytearray(1)),
        loop.sock_recvfrom(ours, 1),
        loop.sock_sendall(ours, b"x"),
        loop.sock_sendto(ours, b"x", ("127.0.0.1", 1)),
        loop.sock_connect(ours, "x"),
        loop.sock_accept(ours),
    ):
        with pytest.raises(ValueError, match="blocking"):
            loop.run_until_complete(call)


def test_tls_sockets_are_refused(loop: EventLoop) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with socket.socket() as plain, context.wrap_socket(plain) as wrapped:
        wrapped.setblocking(False)
        with pytest.raises(TypeError, match="SSL"):
            loop.run_until_complete(loop.sock_recv(wrapped, 1))


@pytest.mark.parametrize("source", ["file", "memory"])
def test_sendfile(loop: EventLoop, pair: Pair, tmp_path: Path, source: str) -> None:
    ours, theirs = pair
    data = bytes(range(256)) * 4000
    (tmp_path / "data").write_bytes(data)

    async def main() -> None:
        received = bytearray()

        async def receive() -> None:
            while len(received) < 500_000:
                received.extend(await loop.sock_recv(theirs, 65536))

        receiving = loop.create_task(receive())
        with (tmp_path / "data").open("rb") if source == "file" else io.BytesIO(data) as file:
            assert await loop.sock_sendfile(ours, file, 1000, 500_000) == 500_000
            assert file.tell() == 501_000
        await receiving
        assert received == data[1000:501_000]

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())


def test_sendfile_refuses_what_it_cannot_send(loop: EventLoop, pair: Pair, tmp_path: Path) -> None:
    ours, _ = pair
    (tmp_path / "data").write_bytes(b"data")

    async def refused(*args: object, **kwargs: object) -> None:
        await loop.sock_sendfile(ours, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.raises(asyncio.SendfileNotAvailableError):
        loop.run_until_complete(refused(io.BytesIO(b"data"), fallback=False))
    with (tmp_path / "data").open() as text, pytest.raises(ValueError, match="binary"):
        loop.run_until_complete(refused(text))
    with (tmp_path / "data").open("rb") as file:
        for bad in ((-1, None), (0, 0), (0, -1)):
            with pytest.raises(ValueError, match="at least"):
                loop.run_until_complete(refused(file, *bad))
        with pytest.raises(TypeError):
            loop.run_until_complete(refused(file, "0"))
