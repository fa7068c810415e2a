"""Watching files: gevent's watchers on one side, one registration per number in the selector on the other.

gevent starts and stops a watcher for every wait of a greenlet, mostly for the same file and event as the last
time. So a registration outlives its watchers: only an event that nobody waits for ends it, or the closing
of the file. A socket can nearly always be written, so what is registered for writing in vain is
narrowed before the next wait instead.

A number says nothing about the file behind it, and a new file may have been given one that is still
registered. gevent makes new watchers for each file. So the first start of a watcher always reaches the
kernel.
"""

from __future__ import annotations

import errno
import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...selectors_impl import Selector, ValidatingSelector
from ...selectors_impl.identity import is_open
from .watchers import READ, WRITE, Watcher

if TYPE_CHECKING:
    from .loop import Loop

# libev tells a new number by it; gevent sets it where it took over libev's masks.
_IOFDSET = 0x80
_EVENTS = READ | WRITE | _IOFDSET


class Registration:
    """Who waits for one number, and what the selector was told."""

    __slots__ = ("fd", "is_closing", "registered", "wanted", "watchers")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.watchers: list[Io] = []
        self.wanted = 0  # what the watchers wait for
        self.registered = 0  # what the selector watches for
        self.is_closing = False


class Registrations:
    """The table of registrations over one selector."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        # The selectors of others take a modify() with the events of before for one of the data alone.
        self._modifies = isinstance(selector, Selector | ValidatingSelector)
        self._take_dropped = getattr(selector, "take_dropped", None)
        self._by_number: dict[int, Registration] = {}
        self._vain_writes: set[Registration] = set()

    def __iter__(self) -> Any:
        return iter(list(self._by_number.values()))

    def enter(self, watcher: Io) -> None:
        """Watch for one more. ValueError or OSError as the selector raises them; nothing has changed then."""
        fd = watcher._fd
        registration = self._by_number.get(fd)
        if registration is None:
            registration = self._by_number[fd] = Registration(fd)
        events = watcher._events
        if not watcher.told or registration.registered & events != events:
            try:
                self._tell(registration, registration.wanted | events)
            except BaseException:
                self._forget_if_unused(registration)
                raise
            watcher.told = True
            registration.is_closing = False
        registration.wanted |= events
        registration.watchers.append(watcher)

    def leave(self, watcher: Io) -> None:
        """Watch for one less, in the end."""
        registration = self._by_number.get(watcher._fd)
        if registration is None or watcher not in registration.watchers:
            return
        watchers = registration.watchers
        watchers.remove(watcher)
        wanted = 0
        for other in watchers:
            wanted |= other._events
        registration.wanted = wanted
        if registration.is_closing and not wanted:
            self.narrow(registration)
        elif registration.registered & ~wanted & WRITE:
            self._vain_writes.add(registration)

    def free(self, fd: int) -> None:
        """A watcher of the number was closed: unless others wait, so will the file be."""
        registration = self._by_number.get(fd)
        if registration is not None and not registration.wanted:
            self.narrow(registration)

    def find(self, fd: int) -> Registration | None:
        """The registration of a number."""
        return self._by_number.get(fd)

    def before_wait(self) -> None:
        """Give up writing where nobody waits for it."""
        while self._vain_writes:
            registration = self._vain_writes.pop()
            if registration.registered & ~registration.wanted & WRITE:
                self.narrow(registration)

    def narrow(self, registration: Registration) -> None:
        """Have the selector watch for what is wanted, and no more. Never fails: the file may be closed."""
        if registration.wanted:
            with suppress(KeyError, ValueError, OSError):
                self._tell(registration, registration.wanted)
            return
        if registration.registered:
            registration.registered = 0
            with suppress(KeyError, ValueError, OSError):
                self._selector.unregister(registration.fd)
        self._forget_if_unused(registration)

    def lose_dropped(self) -> None:
        """Wake whoever waits for what the selector found closed."""
        if self._take_dropped is not None:
            for key in self._take_dropped():
                if key.data is not None:
                    self.lose(key.data)

    def prune(self) -> bool:
        """Lose every number that is no open file; whether there was one. For selectors that fail over it."""
        dead = [registration for registration in self if not is_open(registration.fd)]
        for registration in dead:
            with suppress(KeyError, ValueError, OSError):
                self._selector.unregister(registration.fd)
            self.lose(registration)
        return bool(dead)

    def lose(self, registration: Registration) -> None:
        """Stop the watchers of a dead number, as libev does: their system calls will tell them why."""
        registration.registered = 0
        for watcher in list(registration.watchers):
            watcher._deactivate()
            watcher.loop._feed(watcher, watcher._events)
        self._forget_if_unused(registration)

    def clear(self) -> None:
        """Forget all without touching the selector; the watchers are no longer active."""
        for registration in self:
            for watcher in registration.watchers:
                watcher.active = False
        self._by_number.clear()
        self._vain_writes.clear()

    def _tell(self, registration: Registration, events: int) -> None:
        if not registration.registered:
            self._selector.register(registration.fd, events, registration)
        elif self._modifies:
            self._selector.modify(registration.fd, events, registration)
        else:
            registration.registered = 0
            with suppress(KeyError, ValueError, OSError):
                self._selector.unregister(registration.fd)
            self._selector.register(registration.fd, events, registration)
        registration.registered = events

    def _forget_if_unused(self, registration: Registration) -> None:
        if not registration.registered and not registration.watchers:
            self._by_number.pop(registration.fd, None)


class Io(Watcher):
    """Fires while a file can be read, written or either; an error or a hang-up counts as both.

    ``events`` are READ (1), WRITE (2) or both. ValueError for others and for a negative number, OSError
    (EBADF) for one that is no open file.
    """

    __slots__ = ("_events", "_fd", "passes_events", "told")

    def __init__(
        self, loop: Loop, fd: int, events: int, ref: bool = True, priority: int | None = None
    ) -> None:
        self._fd = _open_number(fd)
        self._events = _mask(events)
        super().__init__(loop, ref, priority)
        self.passes_events = False
        self.told = False  # whether the kernel heard of the number from this watcher

    def start(self, callback: Callable[..., object], *args: Any, pass_events: bool = False) -> None:
        """Call ``callback(*args)`` while the file is ready; with ``pass_events``, what for comes first.

        TypeError if it is not callable. ValueError or OSError as the selector raises them.
        """
        # Not by way of the other classes' methods: gevent comes here for every wait of a greenlet.
        if not callable(callback):
            raise TypeError(f"a watcher needs something to call, got {callback!r}")
        loop = self.loop
        if not self.active:
            loop._registrations.enter(self)
            self.active = True
            if self._ref:
                loop._refs += 1
            if loop._waker.armed:  # a signal handler during the wait
                loop._waker.wake()
        self._callback = callback
        self._args = args
        self.passes_events = pass_events

    def close(self) -> None:
        """Stop, and have the selector forget the number if nobody else waits for it."""
        self.stop()
        self.loop._registrations.free(self._fd)

    @property
    def fd(self) -> int:
        """The number. AttributeError if it is set while the watcher is active."""
        return self._fd

    @fd.setter
    def fd(self, fd: int) -> None:
        self._require_inactive("fd")
        self._fd = _open_number(fd)
        self.told = False

    @property
    def events(self) -> int:
        """READ, WRITE or both. AttributeError if they are set while the watcher is active."""
        return self._events

    @events.setter
    def events(self, events: int) -> None:
        self._require_inactive("events")
        self._events = _mask(events)

    def _disarm(self) -> None:
        self.loop._registrations.leave(self)

    def _format(self) -> str:
        return f" fd={self._fd} events={events_to_str(self._events)}"


def events_to_str(events: int) -> str:
    """The names of READ and WRITE, as they are in ``events``."""
    return "|".join(name for event, name in ((READ, "READ"), (WRITE, "WRITE")) if events & event)


def _open_number(fd: int) -> int:
    if fd < 0:
        raise ValueError(f"a file descriptor is zero or more, got {fd!r}")
    if not is_open(fd):
        raise OSError(errno.EBADF, f"{os.strerror(errno.EBADF)}: {fd} is no open file")
    return fd


def _mask(events: int) -> int:
    if events & ~_EVENTS:
        raise ValueError(f"a file is watched for READ ({READ}), WRITE ({WRITE}) or both, got {events!r}")
    return events & ~_IOFDSET
