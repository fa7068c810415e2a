"""kqueue, of FreeBSD, macOS, NetBSD, OpenBSD and DragonFly (kqueue(2)).

The kernel keeps *filters*, keyed by (number, filter): reading and writing of one file are two
registrations, two events and two chances to fail.

- A batch must have room for both events of each file, or some starve (gh-110038).  So we count two
  per registration, and one more because a size of 0 makes the kernel ignore the timeout (bpo-29255).
- A list of changes fails at the first bad one when its error finds no room, and reports the later
  ones not at all.  So every change carries EV_RECEIPT, and its own answer is read.
- EV_ADD of a filter that exists replaces it.  So a change of events adds what is wanted, which also
  finds a reused number, and deletes the rest.
- EV_DELETE answers ENOENT or EBADF when the file was closed, which had deleted the filter: ignored.
- EV_EOF comes together with unread data, and stays: the reader gets its data first, then end of file.
  On the write filter it means that nobody will read: it counts as readable too, as POLLERR does elsewhere.
- Adding a write filter to a pipe whose reader is gone answers EPIPE on macOS (mio 582).  That is an
  event, not a failure.  So we take it as registered and always writable; the owner's write will tell.
- The read filter of a regular file is ready only before its end, some systems refuse directories and
  /dev/null, and other mechanisms call all of them always ready.  So we say that ourselves, and while
  one is registered no wait blocks.
- Some devices, ttys of old macOS among them, are refused at registration (EINVAL, ENODEV).  The
  error goes to the caller; the poll and select backends are the remedy.
- A child does not inherit the queue, but Python before 3.13 keeps its number, which may be another
  file's by then.  So the child makes its own queue at first use and never closes the old one.
- Timeouts are nanoseconds; Python's wrapper rounds up.  So there is nothing to be made more precise.
- Nothing wakes a waiting call when the queue is closed.  So it ends as it would have, and raises then.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import Any, ClassVar

from . import kernel
from .interface import LONGEST_WAIT_S, MOMENTARY, Selector, cap_wait, why_probe_failed

# From sys/event.h, the same on every system; Python has a name for all of them but EV_RECEIPT, and
# this module must be importable where `select` has none, to be probed.
_FILTER_READ, _FILTER_WRITE = -1, -2
_EV_ADD, _EV_DELETE, _EV_RECEIPT, _EV_ERROR, _EV_EOF = 0x0001, 0x0002, 0x0040, 0x4000, 0x8000

_FILTERS = ((EVENT_READ, _FILTER_READ), (EVENT_WRITE, _FILTER_WRITE))

# Queues of parents; to let one go would close a number that may be another file's.
_inherited: list[Any] = []


class KqueueSelector(Selector):
    """A selector on kqueue; see the module's text for what the kernel does and what we do about it."""

    name = "kqueue"
    resolution = 1e-9
    kernel: ClassVar[Any] = kernel
    """The module that the system calls come from; a test puts another here."""

    @classmethod
    def probe(cls) -> str | None:
        if not hasattr(cls.kernel, "kqueue"):
            return "select has no kqueue"
        try:
            queue = cls.kernel.kqueue()
            try:
                queue.control(None, 1, 0)
            finally:
                queue.close()
        except OSError as error:
            return why_probe_failed("kqueue", error)
        return None

    def __init__(self) -> None:
        super().__init__()
        self._queue = self.kernel.kqueue()
        self._always: dict[int, int] = {}  # number to the events that are always ready
        self._lost = False  # the queue stayed with the parent, or is not what it should be

    def fileno(self) -> int:
        """The number of the queue; another one after a fork."""
        if self._closed:
            raise self._refusal("fileno")
        self._own()
        fd: int = self._queue.fileno()
        return fd

    def _add(self, fd: int, events: int) -> None:
        self._own()
        self._enter(fd, events)

    def _change(self, fd: int, before: int, events: int) -> None:
        self._own()
        was_always = self._always.pop(fd, 0)
        try:
            self._enter(fd, events, before)
        except OSError:
            if was_always:
                self._always[fd] = was_always
            raise
        self._delete(fd, before & ~events)

    def _remove(self, fd: int, events: int) -> None:
        if not self._lost:
            self._delete(fd, events & ~self._always.get(fd, 0))
        self._always.pop(fd, None)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            wait = None
        elif timeout <= 0:
            wait = 0.0
        elif timeout <= LONGEST_WAIT_S:
            wait = timeout
        else:
            wait = cap_wait(timeout)
        if self._closed:
            raise self._refusal("select")
        if self._lost or self._always:
            known_dead = len(self.dropped)
            self._own()
            self._check_always()
            if self._always or len(self.dropped) > known_dead:
                wait = 0.0
        keys = self._keys
        try:
            kevents = self._queue.control(None, 2 * len(keys) + 1, wait)
        except (OSError, ValueError):
            if self._closed:  # by another thread, and after a signal the library waits again in nothing
                raise self._refusal("select") from None
            raise
        if self._closed:
            raise self._refusal("select")
        events = dict(self._always)
        for kevent in kevents:
            fd = kevent.ident
            if fd not in keys or kevent.flags & _EV_ERROR:
                self._discard(fd, kevent.filter)
            elif kevent.filter == _FILTER_READ:
                events[fd] = events.get(fd, 0) | EVENT_READ
            elif kevent.flags & _EV_EOF:
                events[fd] = EVENT_READ | EVENT_WRITE
            else:
                events[fd] = events.get(fd, 0) | EVENT_WRITE
        return [(keys[fd], mask & keys[fd].events) for fd, mask in events.items() if fd in keys]

    def _forked(self) -> None:
        if self._queue is not None:
            _inherited.append(self._queue)
        self._queue = None
        self._lost = True

    def _release(self) -> None:
        if self._queue is not None:
            self._queue.close()

    def _enter(self, fd: int, events: int, before: int = 0) -> None:
        """EV_ADD for each event; on an error, those beyond *before* are taken back."""
        if _never_blocks(self.kernel.fstat(fd)):  # raises EBADF
            self._always[fd] = events
            return
        try:
            answers = self._control(fd, events, _EV_ADD | _EV_RECEIPT)
            if answers.get(_FILTER_WRITE) == errno.EPIPE:
                del answers[_FILTER_WRITE]
                self._always[fd] = EVENT_WRITE
            for error in answers.values():
                raise OSError(error, os.strerror(error))
        except OSError:
            self._delete(fd, events & ~before)
            self._always.pop(fd, None)
            raise

    def _delete(self, fd: int, events: int) -> None:
        if events:
            with suppress(OSError):  # a filter that stays is dealt with when it has an event
                self._control(fd, events, _EV_DELETE | _EV_RECEIPT)

    def _control(self, fd: int, events: int, flags: int) -> dict[int, int]:
        """Apply a change to the filters of *events* and return the errno of each that failed."""
        changes = [self.kernel.kevent(fd, filter_, flags) for event, filter_ in _FILTERS if events & event]
        answers = self._queue.control(changes, len(changes), 0)
        # Where EV_RECEIPT is unknown there are no answers of success, and pending events may come instead.
        return {a.filter: a.data for a in answers if a.flags & _EV_ERROR and a.data and a.ident == fd}

    def _own(self) -> None:
        """After a fork, or with a filter that cannot be deleted: make a queue and register everything anew.

        A file that the kernel refuses is dropped. What may pass, a shortage for instance, is raised, and
        the next call tries again.
        """
        if not self._lost:
            return
        if self._queue is not None:
            self._queue.close()
            self._queue = None
        self._queue = self.kernel.kqueue()
        self._always.clear()
        for key in list(self._keys.values()):
            try:
                self._enter(key.fd, key.events)
            except OSError as error:
                if error.errno in MOMENTARY:
                    raise
                self._drop(key.fd)
        self._lost = False

    def _check_always(self) -> None:
        """Drop the always ready that were closed: the kernel, which does not watch them, will not tell."""
        for fd in list(self._always):
            try:
                self.kernel.fstat(fd)
            except OSError as error:
                if error.errno not in MOMENTARY:
                    del self._always[fd]
                    self._drop(fd)

    def _discard(self, fd: int, filter_: int) -> None:
        """Silence an event that is nobody's, and drop the registration that an error stands for.

        A filter that cannot be deleted would report for ever: the next call makes a new queue.
        """
        change = self.kernel.kevent(fd, filter_, _EV_DELETE | _EV_RECEIPT)
        try:
            answers = self._queue.control([change], 1, 0)
        except OSError:
            self._lost = True
        else:
            self._lost = any(answer.flags & _EV_ERROR and answer.data for answer in answers)
        if fd in self._keys:
            self._drop(fd)


def _never_blocks(info: os.stat_result) -> bool:
    if stat.S_ISCHR(info.st_mode):
        return info.st_rdev == os.stat(os.devnull).st_rdev
    return stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)
