"""What a loop refuses on Windows, and how it says so."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator

import pytest
from loops_under_test import OURS, opened, turn
from muxloop import EventLoop

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="elsewhere none of this is refused")


@pytest.fixture(params=OURS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_signal_handlers_are_not_implemented(loop: EventLoop) -> None:
    """Source: https://docs.python.org/3/library/asyncio-platforms.html#windows"""
    with pytest.raises(NotImplementedError, match=r"add_signal_handler\(\): Windows"):
        loop.add_signal_handler(signal.SIGINT, int)
    with pytest.raises(NotImplementedError, match=r"remove_signal_handler\(\): Windows"):
        loop.remove_signal_handler(signal.SIGINT)


@pytest.mark.parametrize(
    "method", ["connect_read_pipe", "connect_write_pipe", "subprocess_exec", "subprocess_shell"]
)
def test_pipes_and_processes_are_not_implemented(loop: EventLoop, method: str) -> None:
    """Source: https://docs.python.org/3/library/asyncio-platforms.html#windows"""
    with pytest.raises(NotImplementedError, match=rf"{method}\(\): Windows' select\(\) watches"):
        loop.run_until_complete(getattr(loop, method)(int, None))


@pytest.mark.parametrize("method", ["create_unix_connection", "create_unix_server"])
def test_unix_sockets_are_not_implemented(loop: EventLoop, method: str) -> None:
    """Source: https://docs.python.org/3/library/asyncio-platforms.html#windows"""
    with pytest.raises(
        NotImplementedError, match=rf"{method}\(\): this Python's socket module has no AF_UNIX"
    ):
        loop.run_until_complete(getattr(loop, method)(int, "path"))


def test_what_is_no_socket_is_refused_and_the_loop_goes_on(loop: EventLoop) -> None:
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    with ours, theirs, open(__file__) as file:
        for number in (reader, writer, file.fileno()):
            for add in (loop.add_reader, loop.add_writer):
                with pytest.raises(OSError, match=f"file descriptor {number}: no open socket.* in threads"):
                    add(number, int)
        calls: list[int] = []
        theirs.send(b"x")
        loop.add_reader(ours, calls.append, 1)
        turn(loop)
        assert calls == [1]
        loop.remove_reader(ours)
    os.close(reader)
    os.close(writer)


def test_a_refused_connection_is_told(loop: EventLoop) -> None:
    """It shows in select()'s exception set alone."""
    with socket.socket() as nobody, socket.socket() as sock:
        nobody.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        with pytest.raises(ConnectionRefusedError):
            loop.run_until_complete(loop.sock_connect(sock, nobody.getsockname()))
