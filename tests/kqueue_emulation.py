"""``select.kqueue`` and ``select.kevent`` for systems that have none, built on epoll, timerfd and eventfd.

Put this module where a program expects the ``select`` module.  It follows the manual page kqueue(2)
of FreeBSD, and its kernel's source where the page is silent; ``test_kqueue_emulation.py`` quotes it.

Known differences: a closed number is noticed at the next call, so one that is restored
with ``dup2`` to the same file was never closed; ``fflags`` of EV_EOF is 0, for Linux cannot tell
a socket's error without taking it away.
"""

from __future__ import annotations

import errno
import functools
import operator
import os
import select
import time
import weakref
from collections.abc import Iterable
from os import fstat
from typing import Any

import kqueue_filters
from kqueue_filters import Knote, make_knote

KQ_FILTER_READ = kqueue_filters.READ
KQ_FILTER_WRITE = kqueue_filters.WRITE
KQ_FILTER_TIMER = kqueue_filters.TIMER
KQ_FILTER_USER = kqueue_filters.USER

KQ_EV_ADD = 0x0001
KQ_EV_DELETE = 0x0002
KQ_EV_ENABLE = 0x0004
KQ_EV_DISABLE = 0x0008
KQ_EV_ONESHOT = 0x0010
KQ_EV_CLEAR = kqueue_filters.CLEAR
KQ_EV_RECEIPT = 0x0040
KQ_EV_ERROR = 0x4000
KQ_EV_EOF = kqueue_filters.EOF

KQ_NOTE_TRIGGER = kqueue_filters.NOTE_TRIGGER
KQ_NOTE_USECONDS = kqueue_filters.NOTE_USECONDS


class kevent:  # noqa: N801 - the name in `select`
    """One change asked for, or one event reported."""

    def __init__(
        self,
        ident: Any,
        filter: int = KQ_FILTER_READ,  # noqa: A002 - the name in `select`
        flags: int = KQ_EV_ADD,
        fflags: int = 0,
        data: int = 0,
        udata: int = 0,
    ) -> None:
        self.ident: int = ident if isinstance(ident, int) else ident.fileno()
        self.filter = filter
        self.flags = flags
        self.fflags = fflags
        self.data = data
        self.udata = udata

    def _fields(self) -> tuple[int, int, int, int, int, int]:
        return (self.ident, self.filter, self.flags, self.fflags, self.data, self.udata)

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, kevent) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        names = ("ident", "filter", "flags", "fflags", "data", "udata")
        values = ", ".join(f"{name}={value:#x}" for name, value in zip(names, self._fields(), strict=True))
        return f"<kqueue_emulation.kevent {values}>"


class kqueue:  # noqa: N801 - the name in `select`
    """The queue: applies changes, waits, and hands out events in turn."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._fd = self._epoll.fileno()
        self._witness = select.epoll()
        self._knotes: dict[tuple[int, int], Knote] = {}
        self._waiters: dict[int, set[Knote]] = {}  # what the epoll set waits for, and for whom
        self._stamp = 0
        self._is_closed = False
        self._inherited = False
        _queues.add(self)

    @property
    def closed(self) -> bool:
        return self._is_closed

    def fileno(self) -> int:
        self._require_open()
        return self._fd

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._inherited:
            # As Python before 3.13: the number is closed, whatever it is by now.
            os.close(self._fd)
            return
        self._release()

    def _release(self) -> None:
        self._epoll.close()
        self._witness.close()
        for knote in self._knotes.values():
            knote.close()
        self._knotes.clear()

    def control(
        self, changelist: Iterable[kevent] | None, max_events: int, timeout: float | None = None
    ) -> list[kevent]:
        """kevent(2), with the arguments of ``select.kqueue.control``."""
        self._require_open()
        if max_events < 0:
            raise ValueError(f"Length of eventlist must be 0 or positive, got {max_events}")
        if timeout is not None and timeout < 0:
            raise ValueError("timeout must be positive or None")
        if self._inherited:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        answers: list[kevent] = []
        for change in changelist or ():
            error = self._apply(change)
            if not error and not change.flags & KQ_EV_RECEIPT:
                continue
            if len(answers) == max_events:
                if error:
                    raise OSError(error, os.strerror(error))
                return answers
            answers.append(kevent(change.ident, change.filter, KQ_EV_ERROR, 0, error, change.udata))
        if answers or not max_events:
            return answers
        return self._wait(max_events, timeout)

    def _require_open(self) -> None:
        if self._is_closed:
            raise ValueError("I/O operation on closed kqueue object")

    def _apply(self, change: kevent) -> int:
        """Apply one change; its errno, or 0."""
        place = (change.ident, change.filter)
        for neighbour in ((change.ident, KQ_FILTER_READ), (change.ident, KQ_FILTER_WRITE)):
            if neighbour in self._knotes and not self._knotes[neighbour].alive():
                self._bury(neighbour)
        try:
            knote = self._knotes.get(place)
            if knote is None and change.flags & KQ_EV_ADD:
                knote = self._knotes[place] = make_knote(
                    change.ident, change.filter, change.flags, self._witness
                )
            elif knote is None:
                if change.filter in (KQ_FILTER_READ, KQ_FILTER_WRITE):
                    fstat(change.ident)  # EBADF comes before ENOENT
                return errno.ENOENT
        except OSError as error:
            return error.errno or errno.EINVAL
        if change.flags & KQ_EV_DELETE:
            self._delete(place)
            return 0
        if change.flags & KQ_EV_ADD:
            knote.oneshot = bool(change.flags & KQ_EV_ONESHOT)
            knote.udata = change.udata
        if change.flags & KQ_EV_ADD or change.filter == KQ_FILTER_USER:
            knote.change(change.flags, change.fflags, change.data)
        if change.flags & KQ_EV_ENABLE or (change.flags & KQ_EV_ADD and not change.flags & KQ_EV_DISABLE):
            knote.enabled = True
        elif change.flags & KQ_EV_DISABLE:
            knote.enabled = False
        try:
            self._watch(knote)
        except PermissionError:
            self._knotes.pop(place).close()
            return errno.EINVAL  # a device without a poll method
        return 0

    def _wait(self, max_events: int, timeout: float | None) -> list[kevent]:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            events = self._ready(max_events)
            if events:
                return events
            left = -1.0 if deadline is None else deadline - time.monotonic()
            if deadline is not None and left <= 0:
                return []
            self._epoll.poll(left, 1)

    def _ready(self, max_events: int) -> list[kevent]:
        for place in [place for place, knote in self._knotes.items() if not knote.alive()]:
            self._bury(place)
        ready = []
        for place, knote in self._knotes.items():
            event = knote.event() if knote.enabled else None
            if event is not None:
                ready.append((knote.reported_at, place, knote, event))
        ready.sort(key=lambda entry: entry[0])  # who waited longest first: the kernel requeues at the tail
        events = []
        for _, place, knote, (data, state, fflags) in ready[:max_events]:
            self._stamp += 1
            knote.reported_at = self._stamp
            knote.retrieved()
            if knote.oneshot:
                self._delete(place)
            flags = state | knote.clear * KQ_EV_CLEAR | knote.oneshot * KQ_EV_ONESHOT
            events.append(kevent(*place, flags, fflags, data, knote.udata))
        return events

    def _delete(self, place: tuple[int, int]) -> None:
        knote = self._knotes.pop(place)
        knote.enabled = False
        self._watch(knote)
        knote.close()

    def _bury(self, place: tuple[int, int]) -> None:
        """Remove the knote of a closed number, whose entry in the epoll set a duplicate may keep alive."""
        self._knotes.pop(place).close()
        with select.epoll() as fresh:
            os.dup2(fresh.fileno(), self._fd, inheritable=False)
        self._waiters.clear()
        for knote in self._knotes.values():
            if knote.alive():
                self._watch(knote)

    def _watch(self, knote: Knote) -> None:
        """Bring the epoll set in line with whether the knote is enabled."""
        if knote.waits_on is None:
            return
        waiters = self._waiters.setdefault(knote.waits_on, set())
        was_watched = bool(waiters)
        if knote.enabled:
            waiters.add(knote)
        else:
            waiters.discard(knote)
        bits = functools.reduce(operator.or_, (waiter.epoll_bits for waiter in waiters), 0)
        if bits and was_watched:
            self._epoll.modify(knote.waits_on, bits)
        elif bits:
            try:
                self._epoll.register(knote.waits_on, bits)
            except PermissionError:
                del self._waiters[knote.waits_on]
                raise
        else:
            del self._waiters[knote.waits_on]
            if was_watched:
                self._epoll.unregister(knote.waits_on)


_queues: weakref.WeakSet[kqueue] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    """ "The queue is not inherited by a child created with fork(2)": its number is free in the child."""
    for queue in list(_queues):
        if not queue._is_closed and not queue._inherited:
            queue._inherited = True
            queue._release()


os.register_at_fork(after_in_child=_after_fork_in_child)
