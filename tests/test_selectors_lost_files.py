"""Files closed underfoot, duplicated and reused (rules SEL-06, SEL-07, IO-05, IO-06)."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from muxloop.selectors_impl import Selector
from numbered_sockets import give_number, send
from selectors_under_test import backends, every_backend, ready

sockets_only = pytest.mark.skipif(sys.platform == "win32", reason="select watches sockets alone there")

BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge

# More wake-ups than any backend may need to find out that nobody can consume an event.
SPIN_LIMIT = 2000


def settle(selector: Selector) -> dict[int, int]:
    """Report after *selector* had every chance to find out what is dead."""
    for _ in range(SPIN_LIMIT):
        selector.select(0)
    return ready(selector)


@every_backend
class TestClosedUnderfoot:
    def test_unregister_works_and_the_number_can_come_back(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        key = selector.register(ours, BOTH, "first")
        numbers.close(ours)
        assert selector.unregister(ours) is key
        numbers.put(other, ours)
        selector.register(ours, EVENT_READ, "second")
        assert ready(selector) == {}
        send(peer, b"x")
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
        send(peer, b"x")
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
        send(theirs, b"x")
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
        send(theirs, b"x")
        ready(selector)  # may come back early, once
        start = time.monotonic()
        assert ready(selector, 0.02) == {}
        assert time.monotonic() - start >= 0.02
        send(peer, b"x")
        assert ready(selector, LONG_S) == {other: EVENT_READ}

    @sockets_only
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
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_READ, "old")
        numbers.close(ours)
        selector.unregister(ours)
        numbers.put(other, ours)
        selector.register(ours, EVENT_READ, "new")
        send(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {}
        send(peer, b"x")
        assert [(key.data, mask) for key, mask in selector.select(LONG_S)] == [("new", EVENT_READ)]

    def test_nor_when_it_was_reused_before_it_was_unregistered(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_READ)
        numbers.put(other, ours)
        selector.unregister(ours)
        selector.register(ours, EVENT_READ)
        send(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {}
        send(peer, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    def test_nor_when_both_files_are_ready(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, BOTH)
        numbers.put(other, ours)
        selector.unregister(ours)
        selector.register(ours, BOTH)
        send(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {ours: EVENT_WRITE}
        send(peer, b"x")
        assert ready(selector, LONG_S) == {ours: BOTH}

    def test_modify_with_other_events_watches_the_new_file(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        numbers.dup(ours)
        selector.register(ours, EVENT_WRITE)
        numbers.put(other, ours)
        selector.modify(ours, EVENT_READ)
        send(theirs, b"x")
        for _ in range(5):
            assert ready(selector) == {}
        send(peer, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    def test_modify_with_another_object_watches_the_new_file(self, selector):
        old, old_peer = socket.socketpair()
        with old_peer:
            number = old.fileno()
            selector.register(old, EVENT_READ, "data")
            old.close()
            new, new_peer = socket.socketpair()
            if new.fileno() != number:
                give_number(new.fileno(), number)
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
        send(theirs, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    @sockets_only
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
                    send(peer, b"x")
            assert ready(selector) == {}
            send(theirs, b"x")
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
