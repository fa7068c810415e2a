"""What only the kqueue backend meets, on the emulated kqueue (kqueue(2), gh-110038, mio 582)."""

from __future__ import annotations

import errno
import os
import socket
import sys
import types
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("the emulation is built on epoll", allow_module_level=True)

import kqueue_emulation
from muxloop.selectors_impl.kqueue import KqueueSelector

BOTH = EVENT_READ | EVENT_WRITE


class Queue:
    """An emulated queue that records the changes, and whose answers a test can alter."""

    def __init__(self) -> None:
        self._queue = kqueue_emulation.kqueue()
        self.batch_sizes: list[int] = []
        self.changes: list[tuple[int, int]] = []
        self.alter: Any = lambda events: events
        self.close = self._queue.close
        self.fileno = self._queue.fileno

    def control(self, changes: Any, max_events: int, timeout: float | None = None) -> Any:
        self.changes += [(change.filter, change.flags) for change in changes or ()]
        if not changes:
            self.batch_sizes.append(max_events)
        return self.alter(self._queue.control(changes, max_events, timeout))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def selector(queue: Queue) -> Iterator[KqueueSelector]:
    class Watched(KqueueSelector):
        kernel = types.SimpleNamespace(kqueue=lambda: queue, kevent=kqueue_emulation.kevent, fstat=os.fstat)

    with Watched() as selector:
        yield selector


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_batch_has_room_for_two_events_a_file_and_one_more(selector, queue, pair):
    selector.select(0)
    selector.register(pair[0], EVENT_READ)
    selector.select(0)
    selector.register(pair[1], BOTH)
    selector.select(0)
    assert queue.batch_sizes == [1, 3, 5]


def test_both_directions_are_one_entry(selector, pair):
    key = selector.register(pair[0], BOTH)
    pair[1].send(b"x")
    assert selector.select(0) == [(key, BOTH)]


def test_every_change_asks_for_its_receipt(selector, queue, pair):
    selector.register(pair[0], EVENT_READ)
    selector.modify(pair[0], EVENT_WRITE)
    selector.unregister(pair[0])
    assert all(flags & kqueue_emulation.KQ_EV_RECEIPT for _, flags in queue.changes)


def test_a_refused_filter_takes_back_the_other_one(selector, queue, pair):
    def refuse_write(events: list[Any]) -> list[Any]:
        for event in events:
            if (
                event.filter == kqueue_emulation.KQ_FILTER_WRITE
                and event.flags & kqueue_emulation.KQ_EV_ERROR
            ):
                event.data = errno.ENOMEM
        return events

    queue.alter = refuse_write
    with pytest.raises(OSError, match=os.strerror(errno.ENOMEM)):
        selector.register(pair[0], BOTH)
    assert len(selector.get_map()) == 0
    key = selector.register(pair[0], EVENT_READ)
    with pytest.raises(OSError, match=os.strerror(errno.ENOMEM)):
        selector.modify(pair[0], BOTH)
    queue.alter = lambda events: events
    pair[1].send(b"x")
    assert selector.select(0) == [(key, EVENT_READ)]


def test_a_kernel_without_receipts_answers_with_pending_events_instead(selector, queue, pair):
    """An old kernel ignores EV_RECEIPT; what it returns then is no answer to the change."""
    pair[1].send(b"x")
    selector.register(pair[0], BOTH)
    queue.alter = lambda _: [
        kqueue_emulation.kevent(
            pair[0], kqueue_emulation.KQ_FILTER_READ, kqueue_emulation.KQ_EV_CLEAR, data=1
        )
    ]
    selector.modify(pair[0], EVENT_READ)
    queue.alter = lambda events: events
    assert [mask for _, mask in selector.select(0)] == [EVENT_READ]


def test_an_error_event_drops_the_registration(selector, queue, pair):
    key = selector.register(pair[0], BOTH)
    other = selector.register(pair[1], EVENT_WRITE)
    error = kqueue_emulation.kevent(
        pair[0], kqueue_emulation.KQ_FILTER_READ, kqueue_emulation.KQ_EV_ERROR, data=errno.EBADF
    )
    errors = [error]
    queue.alter = lambda events: [errors.pop(), *events] if errors else events
    assert selector.select(0) == [(other, EVENT_WRITE)]
    assert selector.take_dropped() == [key]
    assert selector.select(0) == [(other, EVENT_WRITE)]


def test_an_event_of_an_unknown_number_is_silenced(selector, queue, pair):
    queue.control([kqueue_emulation.kevent(pair[0], kqueue_emulation.KQ_FILTER_WRITE)], 0)
    assert selector.select(0) == []
    assert queue.control(None, 1, 0) == []


def test_a_write_filter_at_end_of_file_wakes_the_reader_too(selector, pair):
    key = selector.register(pair[0], BOTH)
    pair[1].close()
    assert selector.select(0) == [(key, BOTH)]


def test_the_number_of_a_pipe_without_reader_can_be_reused(selector, pair):
    reader, writer = os.pipe()
    os.close(reader)
    selector.register(writer, EVENT_WRITE)
    os.dup2(pair[0].fileno(), writer)
    selector.modify(writer, EVENT_READ)
    assert selector.select(0) == []
    pair[1].send(b"x")
    assert [(key.fd, mask) for key, mask in selector.select(60)] == [(writer, EVENT_READ)]
    selector.unregister(writer)
    os.close(writer)


def test_end_of_file_on_the_write_filter_alone_is_an_error_for_both(selector, queue, pair):
    key = selector.register(pair[0], BOTH)
    event = kqueue_emulation.kevent(
        pair[0], kqueue_emulation.KQ_FILTER_WRITE, kqueue_emulation.KQ_EV_EOF, data=0
    )
    queue.alter = lambda _: [event]
    assert selector.select(0) == [(key, BOTH)]
    queue.alter = lambda events: events
    key = selector.modify(pair[0], EVENT_WRITE)
    queue.alter = lambda _: [event]
    assert selector.select(0) == [(key, EVENT_WRITE)]
