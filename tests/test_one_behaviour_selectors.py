"""What a selector does in the situations of docs/backends.md that no other file of tests is about."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import time
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from muxloop.selectors_impl import Selector
from numbered_sockets import Numbers
from selectors_under_test import every_backend, ready

pytestmark = [
    every_backend,
    pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there"),
]

BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge


def rests(selector: Selector) -> bool:
    start = time.monotonic()
    return selector.select(0.02) == [] and time.monotonic() - start >= 0.02


@pytest.mark.parametrize("path", [os.devnull, ".", __file__])
def test_a_file_that_never_blocks_is_silent_once_unregistered(selector: Selector, path: str) -> None:
    fd = os.open(path, os.O_RDONLY)
    selector.register(fd, EVENT_READ)
    assert ready(selector, None) == ready(selector, None) == {fd: EVENT_READ}
    selector.unregister(fd)
    assert rests(selector)
    os.close(fd)


def test_one_file_under_two_numbers_is_reported_under_both(selector: Selector, numbers: Numbers) -> None:
    """epoll keys its entries by open file *and* number; the others know numbers alone."""
    ours, theirs = numbers.pair()
    copy = numbers.dup(ours)
    selector.register(ours, EVENT_READ, "first")
    selector.register(copy, EVENT_WRITE, "second")
    os.write(theirs, b"x")
    assert ready(selector) == {ours: EVENT_READ, copy: EVENT_WRITE}
    selector.modify(copy, BOTH, "second")
    assert ready(selector) == {ours: EVENT_READ, copy: BOTH}
    selector.unregister(ours)
    numbers.close(ours)
    assert ready(selector) == {copy: BOTH}
    selector.modify(copy, EVENT_READ)
    os.read(copy, 1)
    assert rests(selector)
    os.write(theirs, b"y")
    assert ready(selector, LONG_S) == {copy: EVENT_READ}


@pytest.mark.parametrize("events", [EVENT_READ, EVENT_WRITE, BOTH])
def test_a_reset_is_reported_to_whoever_waits(selector: Selector, events: int) -> None:
    """twisted 2809: an error has no set of its own in select(2) and comes unasked from poll(2)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
    with sock, peer:
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.send(b"x" * 65536)
        selector.register(sock, events)
        assert ready(selector) == {}
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        assert ready(selector, LONG_S) == {sock.fileno(): events}
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        selector.unregister(sock)
        assert rests(selector)
