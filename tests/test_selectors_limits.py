"""Where a mechanism ends: FD_SETSIZE, Windows' sets, a poller that fails, many files (SEL-03, SEL-08)."""

from __future__ import annotations

import contextlib
import errno
import os
import select as real_select
import socket
import stat
import sys
import types
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import pytest
from muxloop.selectors_impl import kernel
from muxloop.selectors_impl import select as select_backend
from muxloop.selectors_impl.epoll import EpollSelector
from muxloop.selectors_impl.interface import Selector
from muxloop.selectors_impl.poll import PollSelector
from muxloop.selectors_impl.select import SelectSelector
from selectors_under_test import backends, every_backend

BOTH = EVENT_READ | EVENT_WRITE
ON_LINUX = sys.platform.startswith("linux")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def high_number(pair: tuple[socket.socket, socket.socket]) -> Iterator[int]:
    """The first number beyond FD_SETSIZE, a duplicate of the first socket."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= 1100:
        pytest.skip(f"RLIMIT_NOFILE ends at {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1100), hard))
    os.dup2(pair[0].fileno(), 1024)
    yield 1024
    os.close(1024)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(not ON_LINUX, reason="FD_SETSIZE is 1024 on Linux")
class TestFdSetsize:
    def test_select_refuses_at_register_and_stores_nothing(self, high_number, pair):
        with SelectSelector() as selector:
            selector.register(pair[0], EVENT_WRITE)
            with pytest.raises(
                ValueError, match=r"file descriptor 1024: .* below 1024 \(FD_SETSIZE\); use another"
            ):
                selector.register(high_number, EVENT_READ)
            assert list(selector.get_map()) == [pair[0].fileno()]
            assert [key.fileobj for key, _ in selector.select(0)] == [pair[0]]

    def test_the_last_number_below_it_is_served(self, high_number, pair):
        os.dup2(high_number, 1023)
        try:
            with SelectSelector() as selector:
                selector.register(1023, BOTH)
                pair[1].send(b"x")
                assert [(key.fd, mask) for key, mask in selector.select(60)] == [(1023, BOTH)]
        finally:
            os.close(1023)

    @pytest.mark.parametrize("backend", backends("epoll", "poll", "kqueue-emulated"))
    def test_the_others_know_no_such_limit(self, backend, high_number, pair):
        with backend() as selector:
            selector.register(high_number, BOTH)
            pair[1].send(b"x")
            assert [(key.fd, mask) for key, mask in selector.select(60)] == [(high_number, BOTH)]


class WindowsSelect(types.SimpleNamespace):
    """Winsock's select as Python shows it: no empty sets, sockets only, and a set for failed connections."""

    failed: frozenset[int] = frozenset()

    def select(self, readers: Any, writers: Any, failing: Any, timeout: float | None = None) -> Any:
        if not readers and not writers and not failing:
            raise OSError(errno.EINVAL, "An invalid argument was supplied")
        for file in {*readers, *writers, *failing}:
            if not is_socket(file):
                raise OSError(errno.ENOTSOCK, "An operation was attempted on something that is not a socket")
        readable, writable, _ = real_select.select(readers, writers, (), timeout)
        return readable, writable, [fd for fd in failing if fd in self.failed]


def is_socket(file: Any) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(file if isinstance(file, int) else file.fileno()).st_mode)
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="the real one runs the other tests there")
class TestWindows:
    """The branches of the select backend that only Windows takes, on a stand-in."""

    @pytest.fixture(autouse=True)
    def windows(self, monkeypatch):
        self.kernel = WindowsSelect()
        self.slept: list[float] = []
        clock = types.SimpleNamespace(sleep=self.slept.append, monotonic=lambda: sum(self.slept))
        monkeypatch.setattr(select_backend, "_WINDOWS", True)
        monkeypatch.setattr(SelectSelector, "kernel", self.kernel)
        monkeypatch.setattr(select_backend, "time", clock)

    def test_with_nothing_registered_it_sleeps(self):
        with SelectSelector() as selector:
            assert selector.select(0.25) == selector.select(0) == selector.select(None) == []
        assert self.slept == [0.25, 0, 24 * 3600]

    def test_a_failed_connection_is_writable(self, pair):
        with SelectSelector() as selector:
            selector.register(pair[0], BOTH)
            self.kernel.failed = frozenset({pair[0].fileno()})
            assert [(key.fileobj, mask) for key, mask in selector.select(1)] == [(pair[0], EVENT_WRITE)]

    def test_what_is_no_socket_is_refused_at_register_and_modify(self, pair):
        with SelectSelector() as selector, open(os.devnull) as file:
            with pytest.raises(OSError, match=f"file descriptor {file.fileno()}: .* in threads") as caught:
                selector.register(file, EVENT_READ)
            assert caught.value.errno == errno.ENOTSOCK
            number = os.dup(pair[0].fileno())
            selector.register(number, EVENT_WRITE)
            os.dup2(file.fileno(), number)
            with pytest.raises(OSError, match=f"file descriptor {number}: no open socket"):
                selector.modify(number, EVENT_READ)
            assert selector.get_key(number).events == EVENT_WRITE
            os.close(number)

    def test_what_is_no_socket_any_more_is_dropped(self, pair):
        number = os.dup(pair[0].fileno())
        with SelectSelector() as selector:
            selector.register(pair[1], EVENT_WRITE)
            key = selector.register(number, EVENT_READ)
            os.close(number)
            assert [ready.fileobj for ready, _ in selector.select(1)] == [pair[1]]
            assert selector.take_dropped() == [key]

    def test_more_than_512_sockets_are_refused_at_register(self, monkeypatch, pair):
        monkeypatch.setattr(select_backend, "_SOCKETS_PER_SET_ON_WINDOWS", 1)
        with SelectSelector() as selector:
            selector.register(pair[0], EVENT_READ)
            with pytest.raises(ValueError, match=r"watches 1 sockets \(FD_SETSIZE\) on Windows"):
                selector.register(pair[1], EVENT_READ)
            selector.register(pair[1], EVENT_WRITE)
            with pytest.raises(ValueError, match=f"file descriptor {pair[1].fileno()}"):
                selector.modify(pair[1], BOTH)
            assert selector.get_key(pair[1]).events == EVENT_WRITE
            assert [key.fileobj for key, _ in selector.select(1)] == [pair[1]]


@pytest.mark.skipif(sys.platform != "win32", reason="Winsock's own limit")
def test_winsock_takes_the_512_sockets_that_we_let_through():
    with contextlib.ExitStack() as cleanup, SelectSelector() as selector:
        sockets = [cleanup.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(513)]
        for sock in sockets[:512]:
            selector.register(sock, EVENT_WRITE)
        assert len(selector.select(60)) == 512
        with pytest.raises(ValueError, match=r"watches 512 sockets \(FD_SETSIZE\) on Windows"):
            selector.register(sockets[512], EVENT_WRITE)
        assert len(selector.select(60)) == 512


class FailingPoller:
    """A poller whose changes fail when told to, and are counted."""

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self.calls: list[str] = []
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._poller, name)

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            if self.error is not None and name != "close":
                raise self.error
            return method(*arguments)

        return call


@pytest.mark.parametrize("mechanism", ["epoll", "poll"])
class TestFailingKernel:
    """bpo-30014: what the kernel refused is not in the books."""

    @pytest.fixture
    def poller(self, mechanism, monkeypatch):
        base: type[Selector] = {"epoll": EpollSelector, "poll": PollSelector}[mechanism]
        if base.probe() is not None:
            pytest.skip(str(base.probe()))
        poller = FailingPoller(getattr(real_select, mechanism)())
        monkeypatch.setattr(
            base, "kernel", types.SimpleNamespace(**{**vars(kernel), mechanism: lambda: poller})
        )
        with base() as self.selector:
            yield poller
            poller.error = None

    def test_a_failed_register_leaves_nothing(self, poller, pair):
        poller.error = OSError(errno.ENOSPC, "max_user_watches")
        with pytest.raises(OSError, match="max_user_watches"):
            self.selector.register(pair[0], EVENT_READ)
        assert dict(self.selector.get_map()) == {}
        poller.error = None
        assert self.selector.register(pair[0], EVENT_READ).fileobj is pair[0]

    def test_a_failed_modify_leaves_the_former_registration(self, poller, pair):
        key = self.selector.register(pair[0], EVENT_WRITE, "data")
        poller.error = OSError(errno.ENOMEM, "no memory")
        with pytest.raises(OSError, match="no memory"):
            self.selector.modify(pair[0], EVENT_READ, "other")
        assert self.selector.get_key(pair[0]) is key
        poller.error = None
        assert self.selector.select(0) == [(key, EVENT_WRITE)]

    def test_new_data_alone_makes_no_system_call(self, poller, pair):
        self.selector.register(pair[0], EVENT_WRITE, "old")
        poller.calls.clear()
        key = self.selector.modify(pair[0], EVENT_WRITE, "new")
        assert (key.data, poller.calls) == ("new", [])
        assert self.selector.select(0) == [(key, EVENT_WRITE)]


@pytest.mark.skipif(EpollSelector.probe() is not None, reason="needs epoll")
def test_epoll_makes_a_failed_rebuild_good_later(pair, monkeypatch):
    """A stale entry makes the set be rebuilt; without a free descriptor that fails, for the time being."""
    kernel = types.SimpleNamespace(epoll=real_select.epoll, poll=real_select.poll)
    monkeypatch.setattr(EpollSelector, "kernel", kernel)

    def refuse() -> None:
        raise OSError(errno.EMFILE, "too many open files")

    with EpollSelector() as selector:
        selector.register(pair[0], EVENT_READ)
        number = os.dup(pair[0].fileno())
        copy = os.dup(number)
        selector.register(number, EVENT_READ)
        os.close(number)
        selector.unregister(number)
        pair[1].send(b"x")
        kernel.epoll = refuse
        with pytest.raises(OSError, match="too many"):
            selector.select(0)
        kernel.epoll = real_select.epoll
        assert [key.fileobj for key, _ in selector.select(0)] == [pair[0]]
        os.close(copy)


@pytest.mark.skipif(EpollSelector.probe() is not None, reason="needs epoll")
def test_epoll_does_not_doubt_a_number_for_ever(pair, monkeypatch):
    """Asking poll(2) about each event is dear; after as many questions as files, a new set is cheaper."""
    questions = []

    def poll() -> Any:
        questions.append(1)
        return real_select.poll()

    monkeypatch.setattr(EpollSelector, "kernel", types.SimpleNamespace(epoll=real_select.epoll, poll=poll))
    with EpollSelector() as selector:
        number = os.dup(pair[0].fileno())
        selector.register(number, EVENT_WRITE)
        os.close(number)
        selector.unregister(number)
        os.dup2(pair[1].fileno(), number)
        selector.register(number, EVENT_WRITE)
        for _ in range(100):
            assert [(key.fd, mask) for key, mask in selector.select(0)] == [(number, EVENT_WRITE)]
        assert 1 <= len(questions) < 5
        os.close(number)


@every_backend
def test_a_thousand_files_are_all_served_in_one_call(backend):
    if sys.platform == "win32":
        pytest.skip("select holds 512 there")
    resource = pytest.importorskip("resource")
    limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1000)
    pairs = [socket.socketpair() for _ in range((limit - 100) // 2)]
    try:
        with backend() as selector:
            for ours, theirs in pairs:
                selector.register(ours, EVENT_READ)
                selector.register(theirs, EVENT_WRITE)
                theirs.send(b"x")
            assert len(selector.select(0)) == 2 * len(pairs)
    finally:
        for sock in sum(pairs, ()):
            sock.close()


@pytest.mark.parametrize("backend", backends("epoll", "kqueue", "kqueue-emulated", "poll", "select"))
def test_a_poller_that_fails_is_no_backend(backend, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(backend, "kernel", types.SimpleNamespace(**{backend.name: refuse}))
    assert backend.probe() == f"{backend.name} failed: [Errno {errno.ENOSYS}] {os.strerror(errno.ENOSYS)}"
    monkeypatch.setattr(backend, "kernel", types.SimpleNamespace())
    assert backend.probe() == f"select has no {backend.name}"
