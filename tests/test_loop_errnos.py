"""A loop whose selector's kernel fails: the error is told, and nothing that was asked for is lost."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator

import pytest
from errno_occasions import ERRNOS
from failing_kernels import FailingKernel
from muxloop import EventLoop
from selectors_under_test import every_backend

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there"),
    every_backend,
]

Pair = tuple[socket.socket, socket.socket]

WAITS = {"epoll.poll", "poll.poll", "select", "kqueue.control", "io_uring_enter"}
CHANGES = {
    *("epoll.register", "epoll.modify", "require_open", "select"),
    *("kqueue.control", "fstat"),
}


@pytest.fixture
def kernel(backend) -> FailingKernel:
    return FailingKernel(backend.kernel)


@pytest.fixture
def loop(backend, kernel) -> Iterator[EventLoop]:
    loop = EventLoop(type("Failing", (backend,), {"kernel": kernel})())
    yield loop
    loop.close()


def run_until_stopped(loop: EventLoop) -> None:
    """With a limit, or a lost callback would be a hang."""
    limit = loop.call_later(30, loop.stop)
    loop.run_forever()
    assert not limit.cancelled()
    assert limit.when() > loop.time(), "something was lost"
    limit.cancel()


@pytest.mark.parametrize("name", ERRNOS)
def test_a_failed_wait_leaves_the_run_with_the_error_and_loses_nothing(loop, kernel, pair, name):
    ours, theirs = pair
    seen: list[str] = []

    def note(what: str) -> None:
        seen.append(what)
        if len(seen) == 4:
            loop.stop()

    def read() -> None:
        loop.remove_reader(ours)
        note("reader")

    loop.add_reader(ours, read)
    loop.call_soon(note, "soon")
    loop.call_later(0.001, note, "later")
    # Registering must not be what fails: a change may wait for the same call.
    with kernel.failing(getattr(errno, name), calls=WAITS, times=1):
        loop.call_soon_threadsafe(note, "threadsafe")
        theirs.send(b"x")
        raised = None
        try:
            run_until_stopped(loop)
        except OSError as error:
            raised = error.errno
    # After EINTR a wait goes on by itself where the system call is ours.
    assert raised == getattr(errno, name) or (raised is None and name == "EINTR")
    assert not loop.is_running()
    if len(seen) < 4:
        run_until_stopped(loop)
    assert sorted(seen) == ["later", "reader", "soon", "threadsafe"]
    assert seen.index("soon") < seen.index("threadsafe")


@pytest.mark.parametrize("name", ["ENOMEM", "ENOSPC", "EBADF", "EIO", "EACCES"])
def test_a_reader_that_cannot_be_added_leaves_what_was(loop, kernel, pair, name):
    ours, theirs = pair
    seen: list[str] = []

    def note(what: str) -> None:
        seen.append(what)
        loop.stop()

    with kernel.failing(getattr(errno, name), calls=CHANGES, about=ours.fileno()):
        with pytest.raises(OSError, match=str(getattr(errno, name))):
            loop.add_reader(ours, note, "never")
        assert not loop.remove_reader(ours)
    loop.add_writer(ours, note, "writer")
    with (
        kernel.failing(getattr(errno, name), calls=CHANGES, about=ours.fileno()),
        pytest.raises(OSError, match=str(getattr(errno, name))),
    ):
        loop.add_reader(ours, note, "never")
    theirs.send(b"x")
    run_until_stopped(loop)
    assert seen == ["writer"]
    assert loop.remove_writer(ours)
    assert not loop.remove_reader(ours)
    loop.add_reader(ours, note, "reader")
    run_until_stopped(loop)
    assert seen == ["writer", "reader"]
    loop.remove_reader(ours)


@pytest.mark.parametrize("name", ERRNOS)
def test_removing_never_fails_and_leaves_the_other_direction(loop, kernel, pair, name):
    ours, theirs = pair
    seen: list[str] = []

    def note(what: str) -> None:
        seen.append(what)
        loop.stop()

    loop.add_reader(ours, note, "reader")
    loop.add_writer(ours, note, "writer")
    theirs.send(b"x")
    with kernel.failing(getattr(errno, name), calls=CHANGES, about=ours.fileno(), times=1):
        assert loop.remove_reader(ours)
    run_until_stopped(loop)
    assert seen == ["writer"]
    with kernel.failing(getattr(errno, name), about=ours.fileno(), times=1):
        assert loop.remove_writer(ours)
    loop.call_soon(loop.stop)
    run_until_stopped(loop)
    assert seen == ["writer"]
