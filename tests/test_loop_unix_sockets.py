"""Unix sockets: paths, abstract names, and the files that servers leave or do not leave."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from echo_streams import echo
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop
from muxloop.conformance.player.tls_peer import client_context, server_context
from recorded_connections import Recorder

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


async def ask(path: str | Path, **options: object) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path, **options)
    writer.write(b"question\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_an_echo_at_a_path(loop: EventLoop, tmp_path: Path, kind: type) -> None:
    path = kind(str(tmp_path / "socket"))

    async def main() -> None:
        server = await asyncio.start_unix_server(echo, path, cleanup_socket=True)
        assert stat.S_ISSOCK(os.stat(path).st_mode)
        assert await ask(path) == b"question\n"
        server.close()
        await server.wait_closed()
        assert not os.path.exists(path)

    loop.run_until_complete(main())


def test_an_echo_under_tls(loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        server = await asyncio.start_unix_server(echo, path, ssl=server_context())
        assert await ask(path, ssl=client_context(), server_hostname="localhost") == b"question\n"
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())


@on_linux
def test_an_abstract_name_leaves_no_file(loop: EventLoop) -> None:
    name = f"\0muxloop-test-{os.getpid()}-{id(loop)}"

    async def main() -> None:
        server = await asyncio.start_unix_server(echo, name)
        assert await ask(name) == b"question\n"
        with pytest.raises(OSError, match="in use"):
            await asyncio.start_unix_server(echo, name)
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())


def test_a_stale_socket_is_replaced_and_a_file_is_not(loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    other = tmp_path / "file"
    other.write_text("precious")

    async def main() -> None:
        server = await asyncio.start_unix_server(echo, path)
        assert await ask(path) == b"question\n"
        server.close()
        await server.wait_closed()
        with pytest.raises(OSError, match="in use"):
            await asyncio.start_unix_server(echo, other)

    loop.run_until_complete(main())
    assert other.read_text() == "precious"


def test_the_file_of_a_successor_is_not_removed(loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        former = await loop.create_unix_server(asyncio.Protocol, path, cleanup_socket=True)
        successor = await asyncio.start_unix_server(echo, path, cleanup_socket=True)
        former.close()
        assert await ask(path) == b"question\n"
        successor.close()
        assert not path.exists()

    loop.run_until_complete(main())


def test_a_file_that_is_gone_already_is_no_error(loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        server = await loop.create_unix_server(asyncio.Protocol, path, cleanup_socket=True)
        path.unlink()
        server.close()

    loop.run_until_complete(main())


def test_what_this_python_documents_is_the_default(loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        server = await loop.create_unix_server(asyncio.Protocol, path)
        server.close()

    loop.run_until_complete(main())
    assert path.exists() == (sys.version_info < (3, 13))


def test_a_socket_that_is_bound_already(loop: EventLoop, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    async def main() -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        server = await asyncio.start_unix_server(echo, sock=sock, cleanup_socket=True)
        connected = socket.socket(socket.AF_UNIX)
        connected.setblocking(False)
        await loop.sock_connect(connected, path)
        transport, protocol = await loop.create_unix_connection(Recorder, sock=connected)
        assert isinstance(protocol, Recorder)
        assert transport.get_extra_info("peername") == path
        transport.write(b"question\n")
        transport.write_eof()
        await protocol.lost
        assert protocol.data == b"question\n"
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())
    assert not os.path.exists(path)


def test_nobody_listens(loop: EventLoop, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        loop.run_until_complete(loop.create_unix_connection(asyncio.Protocol, tmp_path / "nothing"))


def test_a_stale_socket_that_cannot_be_removed_is_logged(
    loop: EventLoop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A path through a file: neither can it be looked at, nor bound."""
    (tmp_path / "file").write_text("")

    async def main() -> None:
        with pytest.raises(NotADirectoryError):
            await loop.create_unix_server(asyncio.Protocol, tmp_path / "file" / "socket")

    with caplog.at_level(logging.ERROR, "asyncio"):
        loop.run_until_complete(main())
    assert "stale" in caplog.text


def test_arguments_that_do_not_fit_together(loop: EventLoop) -> None:
    context = client_context()
    with (
        socket.socket(socket.AF_UNIX) as sock,
        socket.socket() as internet,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram,
    ):
        for call, error in (
            (loop.create_unix_connection(Recorder), ValueError),
            (loop.create_unix_connection(Recorder, "path", sock=sock), ValueError),
            (loop.create_unix_connection(Recorder, sock=internet), ValueError),
            (loop.create_unix_connection(Recorder, sock=datagram), ValueError),
            (loop.create_unix_connection(Recorder, "path", ssl=context), ValueError),
            (loop.create_unix_connection(Recorder, "path", server_hostname="x"), ValueError),
            (loop.create_unix_connection(Recorder, "path", ssl_handshake_timeout=1), ValueError),
            (loop.create_unix_server(Recorder), ValueError),
            (loop.create_unix_server(Recorder, "path", sock=sock), ValueError),
            (loop.create_unix_server(Recorder, sock=internet), ValueError),
            (loop.create_unix_server(Recorder, "path", ssl=True), TypeError),
            (loop.create_unix_server(Recorder, "path", ssl_shutdown_timeout=1), ValueError),
        ):
            with pytest.raises(error):
                loop.run_until_complete(call)
