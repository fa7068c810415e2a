"""select, of POSIX and of Windows (select(2), pselect(2); Winsock's select).

The oldest and the only one that exists everywhere.  A set is a fixed array of bits, or on Windows of sockets.

- A number of FD_SETSIZE or more has no bit: in C, setting it writes past the array, and Python's
  wrapper raises ValueError from every wait.  So we refuse it at registration, with nothing stored.
  The size is compiled into Python (1024 on most, 256 on NetBSD) and not exposed, so we find it by trying.
- Windows holds 512 *sockets* of any number per set.  So we count there.
- One closed number fails the whole call with EBADF and does not say which (CPython's loop dies of
  it).  So we ask for each alone, drop the closed ones, tell (``take_dropped``), and report the others.
- Windows: three empty sets are an error.  So we sleep instead.
- Windows: a refused connection is reported in the exception set only.  So that set counts as writable.
- Errors and hang-ups have no set of their own.  An error makes the file readable and writable, but a
  hang-up without error only readable on Linux: whoever waits to write there must read as well.
- Timeouts are microseconds; Python's wrapper rounds up.
"""

from __future__ import annotations

import functools
import select
import sys
import time
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import Any, ClassVar

from .interface import LONGEST_WAIT_S, Selector, cap_wait, why_probe_failed

_WINDOWS = sys.platform == "win32"
_SOCKETS_PER_SET_ON_WINDOWS = 512


class SelectSelector(Selector):
    """A selector on select; see the module's text for what the kernel does and what we do about it."""

    name = "select"
    resolution = 1e-6
    kernel: ClassVar[Any] = select
    """The module that the system calls come from; a test puts another here."""

    @classmethod
    def probe(cls) -> str | None:
        if not hasattr(cls.kernel, "select"):
            return "select has no select"
        if not _WINDOWS:
            try:
                cls.kernel.select([], [], [], 0)
            except OSError as error:
                return why_probe_failed("select", error)
        return None

    def __init__(self) -> None:
        super().__init__()
        self._readers: set[int] = set()
        self._writers: set[int] = set()

    def _add(self, fd: int, events: int) -> None:
        if _WINDOWS:
            self._require_room(fd, events)
        else:
            if fd >= _fd_setsize():
                raise ValueError(
                    f"file descriptor {fd}: select watches numbers below {_fd_setsize()} (FD_SETSIZE);"
                    " use another backend, or open fewer files"
                )
            self.kernel.select([fd], [], [], 0)  # raises EBADF
        self._watch(fd, events)

    def _change(self, fd: int, before: int, events: int) -> None:
        if _WINDOWS:
            self._require_room(fd, events & ~before)
        else:
            self.kernel.select([fd], [], [], 0)
        self._remove(fd, before)
        self._watch(fd, events)

    def _remove(self, fd: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        self._readers.discard(fd)
        self._writers.discard(fd)

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
        try:
            readable, writable = self._wait(self._readers, self._writers, wait)
        except OSError:
            if not self._drop_the_dead():
                raise
            readable, writable = self._wait(self._readers, self._writers, 0.0)
        keys = self._keys
        if not writable:
            return [(keys[fd], EVENT_READ) for fd in readable]
        events = dict.fromkeys(readable, EVENT_READ)
        for fd in writable:
            events[fd] = events.get(fd, 0) | EVENT_WRITE
        return [(keys[fd], mask) for fd, mask in events.items()]

    def _wait(self, readers: set[int], writers: set[int], wait: float | None) -> tuple[list[int], list[int]]:
        if not _WINDOWS:
            readable, writable, _ = self.kernel.select(readers, writers, (), wait)
            return readable, writable
        if not readers and not writers:
            time.sleep(LONGEST_WAIT_S if wait is None else wait)
            return [], []
        readable, writable, failed = self.kernel.select(readers, writers, writers, wait)
        return readable, writable + failed

    def _watch(self, fd: int, events: int) -> None:
        if events & EVENT_READ:
            self._readers.add(fd)
        if events & EVENT_WRITE:
            self._writers.add(fd)

    def _drop_the_dead(self) -> bool:
        """Drop every number that select(2) refuses on its own; whether there was one."""
        dead = []
        for fd in self._keys:
            try:
                self.kernel.select([fd], [], [], 0)
            except OSError:
                dead.append(fd)
        for fd in dead:
            self._remove(fd, 0)
            self._drop(fd)
        return bool(dead)

    def _require_room(self, fd: int, events: int) -> None:
        for event, watched in ((EVENT_READ, self._readers), (EVENT_WRITE, self._writers)):
            if events & event and len(watched) >= _SOCKETS_PER_SET_ON_WINDOWS:
                raise ValueError(
                    f"file descriptor {fd}: select watches {_SOCKETS_PER_SET_ON_WINDOWS} sockets (FD_SETSIZE)"
                    " on Windows; unregister some, or use asyncio.ProactorEventLoop"
                )


@functools.cache
def _fd_setsize() -> int:
    """The first number, a power of two, that Python's wrapper refuses before it asks the kernel."""
    size = 64
    while size < 1 << 20:
        try:
            select.select([size], [], [], 0)
        except ValueError:
            return size
        except OSError:
            pass  # closed, but it has a bit
        size *= 2
    return size
