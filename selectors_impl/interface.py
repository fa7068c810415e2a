"""What a selector is: the one page to read before writing a backend.

A selector answers one question, "who is ready, within this time?", and nothing else: it knows no
callbacks, no clock of its own and no event loop.  The interface is a superset of the standard
library's ``selectors.BaseSelector`` (docs.python.org/3/library/selectors.html), so that a muxloop
selector can be given to ``asyncio.SelectorEventLoop`` and code written for one runs on the other.

Who does what
    This module keeps the books (which file object has which number, events and data), checks the
    arguments, and undoes nothing because it writes a book entry only after the kernel has agreed.
    A backend talks to the kernel: ``probe``, ``_add``, ``_change``, ``_remove``, ``select``,
    ``_forked`` and ``_release``, in this order.  Start from ``blank.py``.

What no backend can promise
    - A file descriptor closed without ``unregister`` is only sometimes noticed: poll and select see
      it at the next wait, epoll when an event of a surviving duplicate gives it away, uring, which
      keeps the file open, when it is ready, kqueue never.  What is noticed goes to ``take_dropped``.
    - A number that was closed, reused and handed in again *as a plain int* cannot be told from the
      old file.  ``unregister`` and ``register`` it; ``modify`` may leave the new file unwatched.
    - select(2) of Linux hides a hang-up without error from whoever waits to write only.
    - Selectors are not thread-safe.  What another thread registers during a wait may or may not
      count for that wait.
    - ``close`` need not wake another thread's ``select``: kernels keep what is closed until the waiting
      call returns.  It ends at the latest with its next event or its timeout, and raises
      SelectorClosedError.  Wake it first, by a file of your own, where it waits without limit.
    - Only ``os.fork`` and what is built on it is noticed, not a fork made by foreign C code.
"""

from __future__ import annotations

import abc
import errno
import os
import selectors
import weakref
from collections.abc import Iterator, Mapping
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import SelectorClosedError

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

# Counts up when a member is added to, or changes its meaning in, the contract of `Selector`.
INTERFACE_VERSION = 1

# The longest wait handed to the kernel, in seconds.  Some systems refuse or overflow on more
# (a C int of milliseconds ends after 24 days, macOS answers EINVAL beyond 10^8 s), and a wait
# that returns nothing once a day costs nothing.
LONGEST_WAIT_S = 24 * 3600.0

_BOTH = EVENT_READ | EVENT_WRITE

# What a kernel may answer now and not a moment later, whatever file it was asked about: it is short of
# something (ENOSPC: of epoll's watches), or was interrupted.
MOMENTARY = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC),
        *(errno.EAGAIN, errno.EBUSY, errno.EINTR),
    }
)


def why_probe_failed(name: str, error: OSError) -> str:
    """The clause that ``probe`` returns; a shortage, which may pass, is raised instead."""
    if error.errno in MOMENTARY:
        raise error
    return f"{name} failed: {error}"


def cap_wait(timeout: float) -> float:
    """The seconds to wait instead of a *timeout* longer than ``LONGEST_WAIT_S``.  ValueError for NaN.

    Backends call it off the fast path: ``timeout <= LONGEST_WAIT_S`` is false for NaN too.
    """
    if timeout != timeout:
        raise ValueError("select: the timeout is NaN; give seconds, or None to wait without limit")
    return min(timeout, LONGEST_WAIT_S)


class Selector(selectors.BaseSelector):
    """Base class of muxloop's selectors; abstract.

    Source of the contract: docs.python.org/3/library/selectors.html; stricter points name theirs.
    """

    name: ClassVar[str]
    """What users call the mechanism: ``"epoll"``."""

    interface_version: ClassVar[int] = INTERFACE_VERSION
    """The contract this class was written for; a plug-in writes the number, which is checked at loading."""

    @property
    @abc.abstractmethod
    def resolution(self) -> float:
        """The finest wait of the mechanism, in seconds: a wait is rounded up to a multiple of it.

        A constant of the class will do; here it is a property for those that first have to ask the kernel.
        """

    @classmethod
    @abc.abstractmethod
    def probe(cls) -> str | None:
        """None when the mechanism works in this process, else one clause that says why it does not.

        Probe, do not guess: a kernel, a container's filter or a stripped-down Python can refuse what
        the platform's name promises, so a backend builds its poller once and calls it. A shortage of
        descriptors or memory says nothing of the mechanism: that OSError is raised, or a slower
        backend would be chosen without a word.
        """

    def __init__(self) -> None:
        self._keys: dict[int, SelectorKey] = {}
        self._map = _KeyMap(self)
        # Always the same list: whether it is empty can be seen without a call. It is `take_dropped`'s.
        self.dropped: list[SelectorKey] = []
        self._closed = False
        _open_selectors.add(self)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        """Watch *fileobj* (an int, or an object with ``fileno()``) for *events* until it is unregistered.

        Raises ValueError for events other than a combination of EVENT_READ and EVENT_WRITE, for
        something that is no file, and for a number that the mechanism cannot hold; KeyError when the
        number is registered already; OSError when the kernel refuses it (EBADF: it is not open).
        Whatever is raised, nothing was registered (bpo-30014).

        Regular files, directories and /dev/null are always ready, on every backend.
        """
        if self._closed:
            raise self._refusal("register")
        _check_events(events)
        fd = self._fd_of(fileobj)
        if fd in self._keys:
            raise KeyError(
                f"{fileobj!r}: file descriptor {fd} is already registered with this {self.name} selector"
            )
        try:
            self._add(fd, events)
        except OverflowError:
            raise ValueError(f"{fileobj!r}: no file descriptor is as large as {fd}") from None
        key = self._keys[fd] = SelectorKey(fileobj, fd, events, data)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> SelectorKey:
        """Stop watching *fileobj* and return its last key.

        Works after the file was closed, given the same object or number.  Unregister *before* closing
        where you can: see ``epoll.py`` for what a surviving duplicate does otherwise.

        Raises KeyError when it is not registered, ValueError for something that is no file.
        """
        if self._closed:
            raise self._refusal("unregister")
        key = self._key_of(fileobj)
        del self._keys[key.fd]
        self._remove(key.fd, key.events)
        return key

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        """Change the events or the data of a registered file and return the new key.

        With the same file object and events, only *data* is replaced and no system call is made.
        Another object with the same number is taken as a new file behind a reused number: it
        replaces the old one in the key, and the kernel is told. For a bare number the kernel is told
        each time, as nothing else can show that the number is a new file's (twisted #12681).

        Raises KeyError when it is not registered, ValueError and OSError as ``register`` does; the
        registration is then what it was before, unlike in the standard library, which loses it (bpo-30014).
        """
        if self._closed:
            raise self._refusal("modify")
        key = self._key_of(fileobj)
        is_number = isinstance(fileobj, int)
        if is_number:
            fileobj = key.fileobj
        if is_number or events != key.events or fileobj is not key.fileobj:
            _check_events(events)
            self._change(key.fd, key.events, events)
        key = self._keys[key.fd] = SelectorKey(fileobj, key.fd, events, data)
        return key

    @abc.abstractmethod
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Wait until something is ready and return ``(key, events)`` for each ready file.

        *timeout* is in seconds.  None waits without limit; zero or less does not wait; anything else
        waits at least that long, rounded up to ``resolution``, also when nothing is registered
        (bpo-29255) and when signals arrive (PEP 475; an exception of a signal handler passes through).
        NaN raises ValueError.

        *events* is never zero and holds only what was registered.  Errors and hang-ups count as both
        readable and writable, so that whoever waits learns of them (twisted 2809).  Readiness is a
        level: what is not consumed is reported again by the next call.  Each key occurs once, and
        every ready file is in the list: no batch limit starves any (bpo-23009).

        An empty list can come early in three cases: after ``LONGEST_WAIT_S``, when a registration
        had to be dropped (see ``take_dropped``), and when the kernel reported a file that is no longer ours.
        """

    def take_dropped(self) -> list[SelectorKey]:
        """The registrations found dead since the last call; they have left the map already.

        Dead means that the number was no open file any more when the selector waited (EBADF of
        select, POLLNVAL of poll).  An event loop asks after each ``select`` and tells the owners, or
        they would wait for ever (trio 1272).  Whoever never asks keeps the keys alive until ``close``.
        """
        dropped = self.dropped[:]
        self.dropped.clear()
        return dropped

    def close(self) -> None:
        """Free the kernel's object; may be called again.  Registered files stay open."""
        if self._closed:
            return
        self._closed = True
        self._keys.clear()
        self.dropped.clear()
        self._release()

    def get_key(self, fileobj: FileDescriptorLike) -> SelectorKey:
        """The key of a registered file.  Raises KeyError when it is not registered."""
        if self._closed:
            raise self._refusal("get_key")
        return self._key_of(fileobj)

    def get_map(self) -> Mapping[FileDescriptorLike, SelectorKey]:
        """A read-only view of the registrations, which follows changes.

        Iterates over numbers, and looks up by number or file object.  Once the selector is closed a
        view got earlier is empty.
        """
        if self._closed:
            raise self._refusal("get_map")
        return self._map

    # What a backend writes, besides `probe` and `select`.

    @abc.abstractmethod
    def _add(self, fd: int, events: int) -> None:
        """Watch the number, which is not in ``_keys`` yet.  On an exception nothing may stay watched."""

    @abc.abstractmethod
    def _change(self, fd: int, before: int, events: int) -> None:
        """Watch for *events* instead of *before*, which may be equal: the number may be a new file's.

        On an exception the former events must still be watched.
        """

    @abc.abstractmethod
    def _remove(self, fd: int, events: int) -> None:
        """Forget the number, which has left ``_keys``; it may be closed or another file's.  Must not fail."""

    def _forked(self) -> None:
        """Called in the child after a fork: what the child does must never reach the parent's kernel object.

        Only note it: most children end or exec without another look at the selector.
        """

    def _release(self) -> None:
        """Close the kernel's object, where there is one.  The books are empty by now."""

    # What a backend uses.

    def _drop(self, fd: int) -> None:
        """Strike out a registration found dead; the caller sees to the kernel's side."""
        self.dropped.append(self._keys.pop(fd))

    def _refusal(self, call: str) -> SelectorClosedError:
        return SelectorClosedError(f"{call}: this {self.name} selector is closed; open a new one")

    def _key_of(self, fileobj: FileDescriptorLike) -> SelectorKey:
        try:
            return self._keys[self._fd_of(fileobj)]
        except KeyError:
            raise KeyError(f"{fileobj!r} is not registered with this {self.name} selector") from None

    def _fd_of(self, fileobj: FileDescriptorLike) -> int:
        if isinstance(fileobj, int):
            fd = fileobj
        else:
            try:
                fd = int(fileobj.fileno())
            except (AttributeError, TypeError, ValueError):
                fd = -1
        if fd >= 0:
            return fd
        # A closed object has lost its number, but we may still know it.
        for key in self._keys.values():
            if key.fileobj is fileobj:
                return key.fd
        raise ValueError(f"{fileobj!r} is not an open file: it has no file descriptor")


class _KeyMap(Mapping["FileDescriptorLike", SelectorKey]):
    """The view that ``Selector.get_map`` returns."""

    def __init__(self, selector: Selector) -> None:
        self._selector = selector

    def __getitem__(self, fileobj: FileDescriptorLike) -> SelectorKey:
        return self._selector._key_of(fileobj)

    def __iter__(self) -> Iterator[FileDescriptorLike]:
        return iter(self._selector._keys)

    def __len__(self) -> int:
        return len(self._selector._keys)


def _check_events(events: int) -> None:
    if not events or events & ~_BOTH:
        raise ValueError(
            f"events={events!r}: not EVENT_READ ({EVENT_READ}), EVENT_WRITE ({EVENT_WRITE}) or both"
        )


_open_selectors: weakref.WeakSet[Selector] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for selector in list(_open_selectors):
        if not selector._closed:
            selector._forked()


# A hook costs the wait nothing, where asking for the process id would be a system call each time.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
