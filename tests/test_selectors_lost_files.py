"""Files closed underfoot, duplicated, reused, inherited by a child (SEL-06, SEL-07, SEL-10, IO-05, IO-06)."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from muxloop.selectors_impl import Selector
from selectors_under_test import backends, every_backend

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there")

BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge

# More wake-ups than any backend may need to find out that nobody can consume an event.
SPIN_LIMIT = 2000


class Numbers:
    """Descriptors under numbers of our choice, all closed at the end."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def pair(self) -> tuple[int, int]:
        """Two connected sockets, as numbers."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        numbers = ours.detach(), theirs.detach()
        self._open.update(numbers)
        return numbers

    def dup(self, fd: int) -> int:
        copy = os.dup(fd)
        self._open.add(copy)
        return copy

    def put(self, fd: int, number: int) -> None:
        """Give *number* to what *fd* refers to."""
        os.dup2(fd, number)
        self._open.add(number)

    def close(self, *fds: int) -> None:
        for fd in fds:
            os.close(fd)
            self._open.discard(fd)

    def close_all(self) -> None:
        self.close(*self._open)


@pytest.fixture
def numbers() -> Iterator[Numbers]:
    numbers = Numbers()
    yield numbers
    numbers.close_all()


@pytest.fixture
def selector(backend: type[Selector]) -> Iterator[Selector]:
    with backend() as selector:
        yield selector


def ready(selector: Selector, timeout: float | None = 0) -> dict[int, int]:
    return {key.fd: mask for key, mask in selector.select(timeout)}


def settle(selector: Selector) -> dict[int, int]:
    """Report after *selector* had every chance to find out what is dead."""
    for _ in range(SPIN_LIMIT):
        selector.select(0)
    return ready(selector)


@every_backend
class TestClosedUnderfoot:
    def test_unregister_works_and_the_number_can_come_back(self, selector, numbers):
        ours, theirs = numbers.pair()
        key = selector.register(ours, BOTH, "first")
        numbers.close(ours)
        assert selector.unregister(ours) is key
        other, peer = numbers.pair()
        numbers.put(other, ours)
        selector.register(ours, EVENT_READ, "second")
        assert ready(selector) == {}
        os.write(peer, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}
        assert theirs in numbers._open

    def test_a_closed_object_can_be_unregistered(self, selector):
        ours, theirs = socket.socketpair()
        with theirs:
            key = selector.register(ours, EVENT_READ)
            ours.close()
            assert selector.get_map()[ours] is selector.get_key(ours) is key
            assert selector.unregister(ours) is key
            assert len(selector.get_map()) == 0

    def test_the_others_are_served(self, selector, numbers):
        dead, _ = numbers.pair()
        alive, peer = numbers.pair()
        selector.register(dead, EVENT_READ)
        selector.register(alive, EVENT_READ)
        numbers.close(dead)
        os.write(peer, b"x")
        assert ready(selector, LONG_S) == {alive: EVENT_READ}
        assert ready(selector, LONG_S) == {alive: EVENT_READ}

    def test_nothing_spins(self, selector, numbers):
        """Once the closed file was noticed, a wait is a wait again."""
        dead, _ = numbers.pair()
        selector.register(dead, EVENT_READ)
        numbers.close(dead)
        settle(selector)
        start = time.monotonic()
        assert ready(selector, 0.02) == {}
        assert time.monotonic() - start >= 0.02

    def test_a_surviving_duplicate_does_not_spin_either(self, selector, numbers):
        """libuv 1148: nobody can consume the event, for the number that it names is closed."""
        ours, theirs = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_READ)
        os.write(theirs, b"x")
        numbers.close(ours)
        assert settle(selector) == {}
        start = time.monotonic()
        assert ready(selector, 0.02) == {}
        assert time.monotonic() - start >= 0.02

    def test_a_duplicate_of_an_unregistered_file_is_silent(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_READ)
        selector.register(other, EVENT_READ)
        numbers.close(ours)
        selector.unregister(ours)
        os.write(theirs, b"x")
        ready(selector)  # may come back early, once
        start = time.monotonic()
        assert ready(selector, 0.02) == {}
        assert time.monotonic() - start >= 0.02
        os.write(peer, b"x")
        assert ready(selector, LONG_S) == {other: EVENT_READ}

    @pytest.mark.parametrize("path", [os.devnull, "."])
    def test_a_file_that_is_always_ready_stops_when_closed(self, selector, path):
        fd = os.open(path, os.O_RDONLY)
        selector.register(fd, EVENT_READ)
        assert ready(selector, None) == {fd: EVENT_READ}
        os.close(fd)
        assert ready(selector) == {}
        assert [key.fd for key in selector.take_dropped()] == [fd]
        start = time.monotonic()
        assert ready(selector, 0.02) == {}
        assert time.monotonic() - start >= 0.02


@every_backend
class TestReusedNumbers:
    def test_no_event_of_the_former_owner(self, selector, numbers):
        """libuv 826, swift-nio 341: the old file is readable, and still open under another number."""
        ours, theirs = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_READ, "old")
        numbers.close(ours)
        selector.unregister(ours)
        other, peer = numbers.pair()
        numbers.put(other, ours)
        selector.register(ours, EVENT_READ, "new")
        os.write(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {}
        os.write(peer, b"x")
        assert [(key.data, mask) for key, mask in selector.select(LONG_S)] == [("new", EVENT_READ)]

    def test_nor_when_it_was_reused_before_it_was_unregistered(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_READ)
        numbers.put(other, ours)
        selector.unregister(ours)
        selector.register(ours, EVENT_READ)
        os.write(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {}
        os.write(peer, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    def test_nor_when_both_files_are_ready(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, BOTH)
        numbers.put(other, ours)
        selector.unregister(ours)
        selector.register(ours, BOTH)
        os.write(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {ours: EVENT_WRITE}
        os.write(peer, b"x")
        assert ready(selector, LONG_S) == {ours: BOTH}

    def test_modify_with_other_events_watches_the_new_file(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_WRITE)
        numbers.put(other, ours)
        selector.modify(ours, EVENT_READ)
        os.write(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {}
        os.write(peer, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    def test_modify_with_another_object_watches_the_new_file(self, selector):
        old, old_peer = socket.socketpair()
        with old_peer:
            number = old.fileno()
            selector.register(old, EVENT_READ, "data")
            old.close()
            new, new_peer = socket.socketpair()
            if new.fileno() != number:
                os.dup2(new.fileno(), number)
                new.close()
                new = socket.socket(fileno=number)
            with new, new_peer:
                key = selector.modify(new, EVENT_READ, "data")
                assert key.fileobj is new
                new_peer.send(b"x")
                assert [key for key, _ in selector.select(LONG_S)] == [key]
                selector.unregister(new)

    def test_modify_by_number_keeps_the_object(self, selector):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            selector.register(ours, EVENT_READ, 1)
            assert selector.modify(ours.fileno(), EVENT_WRITE, 2) == (ours, ours.fileno(), EVENT_WRITE, 2)

    def test_a_number_that_came_back_to_the_same_file(self, selector, numbers):
        """EPOLL_CTL_ADD answers EEXIST: the entry that could not be deleted is the wanted one."""
        ours, theirs = numbers.pair()
        copy = numbers.dup(ours)
        selector.register(ours, EVENT_WRITE)
        numbers.close(ours)
        selector.unregister(ours)
        numbers.put(copy, ours)
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        os.write(theirs, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    @pytest.mark.parametrize("first", ["socket", "file"])
    def test_a_number_that_changes_between_socket_and_file(self, selector, numbers, first):
        ours, _ = numbers.pair()
        spare = numbers.dup(ours)
        file = os.open(os.devnull, os.O_RDWR)
        number = numbers.dup(ours if first == "socket" else file)
        selector.register(number, EVENT_READ)
        numbers.put(file if first == "socket" else ours, number)
        selector.modify(number, BOTH)
        assert ready(selector) == {number: BOTH if first == "socket" else EVENT_WRITE}
        numbers.put(ours if first == "socket" else file, number)
        selector.unregister(number)
        selector.register(number, BOTH)
        assert ready(selector) == {number: EVENT_WRITE if first == "socket" else BOTH}
        numbers.close(spare)
        os.close(file)

    def test_many_generations_of_one_number(self, selector, numbers):
        """Doubt must not last: after so many reuses each event is still the right one's."""
        number, _ = numbers.pair()
        peers = []
        for generation in range(40):
            ours, theirs = numbers.pair()
            numbers.put(ours, number)
            selector.register(number, EVENT_READ, generation)
            for peer in peers:
                with contextlib.suppress(BlockingIOError):
                    os.write(peer, b"x")
            assert ready(selector) == {}
            os.write(theirs, b"x")
            for _ in range(3):
                assert [key.data for key, _ in selector.select(LONG_S)] == [generation]
            peers.append(theirs)
            numbers.put(ours, number)
            selector.unregister(number)


@pytest.mark.parametrize("backend", backends("poll", "select"))
class TestDropped:
    def test_a_closed_number_is_dropped_once_and_reported(self, selector, numbers):
        dead, _ = numbers.pair()
        alive, _ = numbers.pair()
        key = selector.register(dead, EVENT_READ, "owner")
        selector.register(alive, BOTH)
        assert selector.take_dropped() == []
        numbers.close(dead)
        assert ready(selector, None) == {alive: EVENT_WRITE}
        assert selector.take_dropped() == [key]
        assert selector.take_dropped() == []
        assert list(selector.get_map()) == [alive]
        with pytest.raises(KeyError):
            selector.unregister(dead)

    def test_a_wait_without_limit_ends_for_the_owner_to_be_told(self, selector, numbers):
        dead, _ = numbers.pair()
        alive, _ = numbers.pair()
        key = selector.register(dead, EVENT_READ)
        selector.register(alive, EVENT_READ)
        numbers.close(dead)
        assert ready(selector, None) == {}
        assert selector.take_dropped() == [key]

    def test_several_at_once(self, selector, numbers):
        dead = [numbers.pair()[0] for _ in range(10)]
        alive, _ = numbers.pair()
        selector.register(alive, EVENT_WRITE)
        for fd in dead:
            selector.register(fd, BOTH)
        numbers.close(*dead)
        assert ready(selector, None) == {alive: EVENT_WRITE}
        assert sorted(key.fd for key in selector.take_dropped()) == sorted(dead)


def in_child(play: Callable[[], object]) -> int:
    """Run *play* in a forked child; 0 when it returned, 1 when it raised."""
    pid = os.fork()
    if not pid:
        signal.alarm(30)  # a child that hangs dies, and the test fails
        try:
            play()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@every_backend
class TestFork:
    @pytest.fixture(autouse=True)
    def registered(self, selector, numbers):
        self.ours, self.theirs = numbers.pair()
        self.file = os.open(os.devnull, os.O_RDONLY)
        selector.register(self.ours, EVENT_READ, "parent's")
        yield
        os.close(self.file)

    @pytest.fixture(params=["unregister", "modify", "close", "register", "select"])
    def in_the_child(self, request, selector):
        def play() -> None:
            if request.param == "unregister":
                selector.unregister(self.ours)
            elif request.param == "modify":
                selector.modify(self.ours, EVENT_WRITE)
                assert ready(selector) == {self.ours: EVENT_WRITE}
            elif request.param == "register":
                selector.register(self.theirs, BOTH)
                assert ready(selector) == {self.theirs: EVENT_WRITE}
            elif request.param == "select":
                os.write(self.theirs, b"y")
                assert ready(selector, LONG_S) == {self.ours: EVENT_READ}
                os.read(self.ours, 1)
            selector.close()

        return play

    def test_the_child_does_not_disturb_the_parent(self, selector, in_the_child):
        assert in_child(in_the_child) == 0
        assert ready(selector) == {}
        os.write(self.theirs, b"x")
        assert ready(selector, LONG_S) == {self.ours: EVENT_READ}

    def test_the_child_goes_on_with_what_was_registered(self, selector):
        selector.register(self.file, EVENT_READ)

        def play() -> None:
            os.write(self.theirs, b"x")
            assert ready(selector, LONG_S) == {self.ours: EVENT_READ, self.file: EVENT_READ}
            assert selector.get_key(self.ours).data == "parent's"

        assert in_child(play) == 0

    def test_a_grandchild_too(self, selector):
        def play() -> None:
            assert in_child(lambda: selector.unregister(self.ours)) == 0
            os.write(self.theirs, b"x")
            assert ready(selector, LONG_S) == {self.ours: EVENT_READ}

        assert in_child(play) == 0

    def test_what_the_child_closed_before_its_first_use_is_dropped(self, selector):
        def play() -> None:
            os.close(self.ours)
            assert ready(selector, None) == {}
            assert [key.fd for key in selector.take_dropped()] == [self.ours]

        assert in_child(play) == 0

    def test_closing_in_the_child_closes_no_other_file(self, selector):
        """A queue's number is free in the child of a kqueue user, and Python before 3.13 would close it."""

        def play() -> None:
            opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
            ready(selector)
            selector.close()
            for fd in opened:
                os.fstat(fd)

        def play_at_once() -> None:
            opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
            selector.close()
            for fd in opened:
                os.fstat(fd)

        assert in_child(play) == in_child(play_at_once) == 0

    def test_its_own_number_follows(self, selector):
        if not hasattr(selector, "fileno"):
            pytest.skip(f"{selector.name} has no descriptor of its own")

        def play() -> None:
            os.write(self.theirs, b"x")
            assert select.select([selector.fileno()], [], [], LONG_S)[0] == [selector.fileno()]

        assert in_child(play) == 0
        assert select.select([selector.fileno()], [], [], LONG_S)[0] == [selector.fileno()]
