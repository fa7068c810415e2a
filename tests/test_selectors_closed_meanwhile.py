"""A selector that another thread closes during a wait: the wait ends in an error, and reaches no file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from selectors import EVENT_READ
from typing import Any

import pytest
from muxloop.errors import SelectorClosedError
from selectors_under_test import every_backend

pytestmark = every_backend


class Waiting(threading.Thread):
    """A thread in ``select``, and what came of it."""

    def __init__(self, select: Callable[[float | None], Any], timeout: float | None) -> None:
        super().__init__()
        self._select = select
        self._timeout = timeout
        self.outcome: object = None

    def run(self) -> None:
        try:
            self.outcome = self._select(self._timeout)
        except BaseException as error:
            self.outcome = error

    def start_to_wait(self) -> None:
        """Start, and go on when it sleeps; on systems that do not tell, at once: either way must end well."""
        self.start()
        state = Path(f"/proc/self/task/{self.native_id}/stat")
        while self.is_alive() and state.exists():
            try:
                if state.read_text().rpartition(")")[2].split()[0] == "S":
                    return
            except OSError:  # it has ended
                return


@pytest.fixture
def waiting(backend, pair) -> Iterator[Any]:
    """Start a thread that waits in a selector with one socket registered."""
    started = []

    def start(timeout: float | None) -> tuple[Any, Waiting]:
        selector = backend()
        selector.register(pair[0], EVENT_READ)
        thread = Waiting(selector.select, timeout)
        started.append(thread)
        thread.start_to_wait()
        return selector, thread

    yield start
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()


def assert_refused(thread: Waiting, name: str) -> None:
    thread.join(60)
    assert isinstance(thread.outcome, SelectorClosedError), thread.outcome
    assert str(thread.outcome) == f"select: this {name} selector is closed; open a new one"


@pytest.mark.parametrize("timeout", [None, 60])
def test_the_next_event_ends_the_wait(backend, waiting, pair, timeout):
    selector, thread = waiting(timeout)
    selector.close()
    pair[1].send(b"x")
    assert_refused(thread, backend.name)
    assert pair[0].recv(10) == b"x"


@pytest.mark.parametrize("timeout", [1e-9, 0.001, 0.0104, 0.1])
def test_so_does_its_timeout(backend, waiting, timeout):
    selector, thread = waiting(timeout)
    selector.close()
    thread.join(60)
    # The wait may have been over before.
    assert thread.outcome == [] or isinstance(thread.outcome, SelectorClosedError)
    if timeout == 0.1:
        assert_refused(thread, backend.name)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to threads")
def test_a_signal_does_not_make_it_wait_for_what_is_closed(backend, waiting, pair):
    """The library's calls repeat themselves after a signal, with a set that is gone (PEP 475)."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        selector, thread = waiting(60)
        selector.close()
        if thread.is_alive():
            signal.pthread_kill(thread.ident, signal.SIGUSR1)
        pair[1].send(b"x")
        assert_refused(thread, backend.name)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there")
def test_what_has_a_number_by_then_is_left_alone(backend, pair):
    """All numbers of the selector's and its files' are other sockets' when the wait ends."""
    selector = backend()
    ours, theirs = socket.socketpair()
    survivor = os.dup(ours.fileno())
    number = ours.detach()
    selector.register(number, EVENT_READ)
    selector.register(pair[0], EVENT_READ)
    thread = Waiting(selector.select, 60)
    thread.start_to_wait()
    selector.close()
    os.close(number)
    others = [socket.socketpair() for _ in range(8)]
    for one, another in others:
        one.send(b"1")
        another.send(b"2")
    theirs.send(b"x")
    pair[1].send(b"x")
    assert_refused(thread, backend.name)
    for one, another in others:
        with one, another:
            assert (one.recv(10), another.recv(10)) == (b"2", b"1")
    os.close(survivor)
    theirs.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/self/fd")
def test_no_descriptor_is_left(waiting, pair):
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        selector, thread = waiting(60)
        selector.close()
        pair[1].send(b"x")
        thread.join(60)
        pair[0].recv(10)
        assert os.listdir("/proc/self/fd") == before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/self/fd")
def test_a_program_that_is_started_meanwhile_inherits_nothing(backend, pair):
    """Every number that a selector makes is close-on-exec, also those that it makes later."""
    listing = "import os; print(*sorted(map(int, os.listdir('/proc/self/fd'))))"

    def listed() -> str:
        started = subprocess.run(
            [sys.executable, "-c", listing], close_fds=False, capture_output=True, text=True, check=True
        )
        return started.stdout

    before = listed()
    with backend() as selector:
        selector.register(pair[0], EVENT_READ)
        selector.select(0.0011)
        # A registration whose number changes hands makes epoll's set anew.
        number = os.dup(pair[0].fileno())
        copy = os.dup(number)
        os.set_inheritable(copy, False)
        selector.register(number, EVENT_READ)
        os.close(number)
        selector.unregister(number)
        pair[1].send(b"x")
        selector.select(0)
        assert listed() == before
        os.close(copy)
