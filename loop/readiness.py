"""Which handle waits for which file descriptor.

One `Interest` per descriptor stands in the selector as its key's data. What this file adds to a
selector is ownership, and suspicion: a descriptor may be closed without a word, and its number given to
another file. So an interest knows whom it was made for, and is checked

- when the selector says that it dropped the descriptor (``take_dropped``),
- when ``select()`` itself fails over a dead one (a plain ``select`` selector),
- when somebody asks for the same number again,
- when it is ready in a `BATCHES_PER_CHECK`-th batch, among `CHECKS_PER_BATCH` of that: a closed descriptor
  that a duplicate keeps reporting, or whose number is now a file's that is always ready, would spin for ever,
- where a ``sock_*`` call waits for it, when the loop has come to rest (``end_lost_waits``), and
- in turn, a few at a time before the loop blocks: epoll, kqueue and io_uring forget a closed file
  without a word. In debug mode every wait looks at `CHECKS_IN_DEBUG_MODE` of them, else every
  `WAITS_PER_CHECK`-th at one, which costs a wait 0.09 us.

The readers and writers of a program are cancelled then. Those of the loop's own transports and
``sock_*`` calls are run once more instead: their system call gets EBADF and tells its caller,
who would otherwise wait for ever (trio 1272).
"""

from __future__ import annotations

import selectors
from asyncio.log import logger
from collections import deque
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..selectors_impl.identity import Identity, identify, is_open
from .clock import Events
from .handles import Handle, TimerHandle

if TYPE_CHECKING:
    import asyncio

BATCHES_PER_CHECK = 16
CHECKS_PER_BATCH = 8
CHECKS_IN_DEBUG_MODE = 64
WAITS_PER_CHECK = 64

_UNKNOWN = (None,)


class Interest:
    """The handles that wait for one descriptor."""

    __slots__ = ("fileobj", "identity", "reader", "writer")

    def __init__(self, fileobj: Any, identity: Identity | None) -> None:
        self.fileobj = fileobj
        self.identity = identity  # None: not taken, or not to be had
        self.reader: Handle | None = None
        self.writer: Handle | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} reader={self.reader!r} writer={self.writer!r}>"

    @property
    def events(self) -> int:
        """What the selector should watch for."""
        return (self.reader is not None and EVENT_READ) | (self.writer is not None and EVENT_WRITE)

    def is_stale(self, fd: int) -> bool:
        """Whether the descriptor was closed, or the number has become another file's."""
        if not isinstance(self.fileobj, int):
            try:
                if self.fileobj.fileno() != fd:
                    return True
            except (OSError, ValueError):
                return True
        if self.identity is None:
            return not is_open(fd)
        return identify(fd) != self.identity


class Readiness:
    """The table of interests over one selector."""

    def __init__(self, selector: selectors.BaseSelector, ready: deque[Handle | TimerHandle]) -> None:
        self._selector = selector
        self._ready = ready
        self._take_dropped = getattr(selector, "take_dropped", list)
        # One that does not show its list is asked each time. (one reader: 0.1 of 3.8 us)
        self._dropped = getattr(selector, "dropped", _UNKNOWN)
        self.interests: dict[int, Interest] = {}
        self.transports: WeakValueDictionary[int, asyncio.BaseTransport] = WeakValueDictionary()
        self.debug = False
        self.has_waits = False  # whether a sock_* call may be waiting
        self._round: list[int] = []  # the numbers that `patrol` has still to look at
        self.waits = 0  # since `patrol` last looked; the loop counts
        self._batches = 0  # since those that are ready were looked at
        self._next_check = 0  # which of a large batch

    def add(self, fileobj: Any, fd: int, events: int, handle: Handle) -> None:
        """Queue ``handle`` whenever ``fd`` is ready for ``events`` (one of the two); cancel the former one.

        ValueError or OSError as the selector raises them; the former handle then stays.
        """
        interest = self.interests.get(fd)
        if interest is not None and interest.is_stale(fd):
            self._drop(fd, interest)
            interest = None
        if interest is None:
            interest = Interest(fileobj, None if handle.owned else identify(fd))
            self._selector.register(fd, events, interest)
            self.interests[fd] = interest
        else:
            # Also with the same events: an eventfd looks like any other, so the number may be a new one's.
            self._selector.modify(fd, interest.events | events, interest)
        if events == EVENT_READ:
            former, interest.reader = interest.reader, handle
        else:
            former, interest.writer = interest.writer, handle
        if former is not None:
            former.cancel()

    def remove(self, fd: int, events: int) -> bool:
        """Cancel the handle that waits for ``events`` (one of the two) of ``fd``; whether there was one."""
        interest = self.interests.get(fd)
        if interest is None or not interest.events & events:
            return False
        if events == EVENT_READ:
            former, interest.reader = interest.reader, None
        else:
            former, interest.writer = interest.writer, None
        if former is not None:
            former.cancel()
        if interest.events:
            self._narrow(fd, interest)
        else:
            del self.interests[fd]
            self._forget(fd)
        return True

    def holds(self, fd: int, events: int, handle: Handle) -> bool:
        """Whether ``handle`` is the one that waits for ``events`` of ``fd``."""
        interest = self.interests.get(fd)
        return interest is not None and handle is (
            interest.reader if events == EVENT_READ else interest.writer
        )

    def release(self, fd: int, events: int, handle: Handle) -> None:
        """Stop ``handle`` waiting for ``events`` of ``fd``, if it still does; never touches a successor."""
        if self.holds(fd, events, handle):
            self.remove(fd, events)

    def number_of(self, fileobj: Any) -> int:
        """As `fileno`; finds also a watched object that was closed meanwhile."""
        try:
            return fileno(fileobj)
        except ValueError:
            for fd, interest in self.interests.items():
                if interest.fileobj is fileobj:
                    return fd
            raise

    def queue(self, events: Events) -> None:
        """Queue the handles of what is ready: of one descriptor, the reader before the writer."""
        append = self._ready.append
        for key, mask in events:
            interest: Interest = key.data
            if mask != EVENT_WRITE:
                handle = interest.reader
                if handle is not None:
                    append(handle)
                if mask == EVENT_READ:
                    continue
            handle = interest.writer
            if handle is not None:
                append(handle)
        self._batches += 1
        if self._batches >= BATCHES_PER_CHECK:
            self._batches = 0
            for key, _ in events if len(events) <= CHECKS_PER_BATCH else self._some_of(events):
                self._check(key.fd, key.data)
        if self._dropped:
            for key in self._take_dropped():
                dropped: Interest = key.data
                if self.interests.get(key.fd) is dropped:
                    del self.interests[key.fd]
                    self._abandon(key.fd, dropped)

    def _some_of(self, events: Events) -> Events:
        """The next ones in turn: a large batch is not asked about as a whole. (micro readers: 5 %)"""
        start = self._next_check if self._next_check < len(events) else 0
        self._next_check = start + CHECKS_PER_BATCH
        return events[start : self._next_check]

    def prune(self) -> bool:
        """Drop every descriptor that is closed or no longer its owner's. Returns whether there was one."""
        stale = [(fd, interest) for fd, interest in self.interests.items() if interest.is_stale(fd)]
        for fd, interest in stale:
            self._drop(fd, interest)
        return bool(stale)

    @property
    def debug(self) -> bool:
        """Whether to look at files often, and to tell of those that were closed too early."""
        return self._debug

    @debug.setter
    def debug(self, enabled: bool) -> None:
        self._debug = enabled
        self.waits_per_patrol = 1 if enabled else WAITS_PER_CHECK

    def patrol(self) -> None:
        """Before every ``waits_per_patrol``-th wait: look whether the next few files are their owners'."""
        self.waits = 0
        checks = min(len(self.interests), CHECKS_IN_DEBUG_MODE if self.debug else 1)
        for _ in range(checks):
            if not self._round or len(self._round) > 2 * len(self.interests):  # most are gone
                self._round = list(self.interests)
            fd = self._round.pop()
            interest = self.interests.get(fd)
            if interest is not None and interest.is_stale(fd):
                self._drop(fd, interest)

    def end_lost_waits(self) -> None:
        """Let the ``sock_*`` calls whose sockets were closed find that out (trio 1272)."""
        self.has_waits = False
        for fd, interest in list(self.interests.items()):
            if any(handle is not None and handle.waits for handle in (interest.reader, interest.writer)):
                if interest.fileobj.fileno() != fd:
                    self._drop(fd, interest)
                else:
                    self.has_waits = True

    def move_to(self, selector: selectors.BaseSelector) -> None:
        """Go on with another selector, which has the same registrations."""
        self._selector = selector

    def adopt(self, fd: int, transport: asyncio.BaseTransport) -> None:
        """Reserve ``fd`` for a transport. What still waits for that number waited for a file that is gone."""
        interest = self.interests.get(fd)
        if interest is not None:
            self._drop(fd, interest)
        self.transports[fd] = transport

    def refuse_transport(self, fd: int, fileobj: Any) -> None:
        """RuntimeError if ``fd`` belongs to a transport (gh-88968: a foreign reader corrupts it)."""
        transport = self.transports.get(fd)
        if transport is not None and not transport.is_closing():
            raise RuntimeError(
                f"file descriptor {fd} ({fileobj!r}) is used by {transport!r}: close the transport first"
            )

    def close(self) -> None:
        """Forget all without touching the selector, whose kernel object a forked parent may share."""
        for interest in self.interests.values():
            for handle in (interest.reader, interest.writer):
                if handle is not None:
                    handle.cancel()
        self.interests.clear()

    def _check(self, fd: int, interest: Interest) -> None:
        if self.interests.get(fd) is interest and interest.is_stale(fd):
            self._drop(fd, interest)

    def _narrow(self, fd: int, interest: Interest) -> None:
        """Watch for less than before; never fails, for whoever removes cannot do anything about it."""
        try:
            self._selector.modify(fd, interest.events, interest)
        except (KeyError, ValueError, OSError):
            if interest.is_stale(fd):
                self._drop(fd, interest)
                return
            # Refused for a passing reason, for which the other direction must not suffer.
            self._forget(fd)
            try:
                self._selector.register(fd, interest.events, interest)
            except (KeyError, ValueError, OSError):
                self._drop(fd, interest)

    def _drop(self, fd: int, interest: Interest) -> None:
        del self.interests[fd]
        self._forget(fd)
        self._abandon(fd, interest)

    def _forget(self, fd: int) -> None:
        # It may have found out by itself; and a foreign one may choke on a descriptor that is closed.
        with suppress(KeyError, ValueError, OSError):
            self._selector.unregister(fd)

    def _abandon(self, fd: int, interest: Interest) -> None:
        for handle in (interest.reader, interest.writer):
            if handle is None or handle.cancelled():
                continue
            if handle.owned:
                self._ready.append(handle)
                continue
            if self.debug:
                logger.warning(
                    "file descriptor %d was closed while %r waited for it: remove it first", fd, handle
                )
            handle.cancel()
        interest.reader = interest.writer = None


def fileno(fileobj: Any) -> int:
    """The descriptor number of an int or of an object with ``fileno()``. ValueError if there is none."""
    if isinstance(fileobj, int):
        fd = int(fileobj)
    else:
        try:
            fd = int(fileobj.fileno())
        except (AttributeError, TypeError, ValueError):
            raise ValueError(
                f"{fileobj!r} is no file descriptor: give an int or an open object with fileno()"
            ) from None
    if fd < 0:
        raise ValueError(f"{fileobj!r} is no file descriptor: it is negative or was closed")
    return fd
