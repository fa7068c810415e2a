"""select, of POSIX and of Windows (select(2), pselect(2); Winsock's select).

The oldest and the only one that exists everywhere.  A set is a fixed array of bits, or on Windows of sockets.

- A number of FD_SETSIZE or more has no bit: in C, setting it writes past the array, and Python's
  wrapper raises ValueError from every wait.  So we refuse it at registration, with nothing stored.
  The size is compiled into Python (1024 on most, 256 on NetBSD) and not exposed, so we find it by trying.
- Windows holds 512 *sockets* of any number per set.  So we count there.
- Windows watches nothing but sockets: a file, a pipe or a closed number fails every call with WSAENOTSOCK.
  So we refuse it at registration, as we refuse a closed number (EBADF) elsewhere.
- One closed number fails the whole call with EBADF and does not say which (CPython's loop dies of
  it).  So we ask for each alone, drop the closed ones, tell (``take_dropped``), and report the others.
- Windows: three empty sets are an error.  So we sleep instead.
- Windows: a refused connection is reported in the exception set only.  So that set counts as writable.
- Errors and hang-ups have no set of their own.  An error makes the file readable and writable, but a
  hang-up without error only readable on Linux: whoever waits to write there must read as well.
- Timeouts are microseconds; Python's wrapper rounds up.  Linux ends each wait late, by 50 us and more.
  So the first wait is a little short, and a second one ends when it should.
- Windows before Python 3.13 has a clock that moves every 15.6 ms.  So we wait there for what it says is left.
- Nothing can wake a waiting call when the selector is closed.  So it ends as it would have, and raises then.
"""

from __future__ import annotations

import errno
import functools
import socket
import sys
import time
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import Any, ClassVar

from . import kernel
from .interface import LONGEST_WAIT_S, MOMENTARY, Selector, cap_wait, why_probe_failed
from .precise_waits import EARLY_SHARE, Aim

_WINDOWS = sys.platform == "win32"
_SOCKETS_PER_SET_ON_WINDOWS = 512
_TICK_S = 0.001  # less would ask again and again while the clock stands still


class SelectSelector(Selector):
    """A selector on select; see the module's text for what the kernel does and what we do about it."""

    name = "select"
    resolution = 1e-6
    kernel: ClassVar[Any] = kernel
    """The module that the system calls come from; a test puts another here."""

    @classmethod
    def probe(cls) -> str | None:
        if not hasattr(cls.kernel, "select"):
            return "select has no select"
        try:
            if _WINDOWS:
                with socket.socket() as idle:
                    cls.kernel.select([idle], [], [], 0)
            else:
                cls.kernel.select([], [], [], 0)
        except OSError as error:
            return why_probe_failed("select", error)
        return None

    def __init__(self) -> None:
        super().__init__()
        self._readers: set[int] = set()
        self._writers: set[int] = set()
        self._aim = Aim()

    def _add(self, fd: int, events: int) -> None:
        if _WINDOWS:
            self._require_room(fd, events)
        elif fd >= _fd_setsize():
            raise ValueError(
                f"file descriptor {fd}: select watches numbers below {_fd_setsize()} (FD_SETSIZE);"
                " use another backend, or open fewer files"
            )
        self._require_open(fd)
        self._watch(fd, events)

    def _change(self, fd: int, before: int, events: int) -> None:
        if _WINDOWS:
            self._require_room(fd, events & ~before)
        self._require_open(fd)
        self._remove(fd, before)
        self._watch(fd, events)

    def _remove(self, fd: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        self._readers.discard(fd)
        self._writers.discard(fd)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if self._closed:
            raise self._refusal("select")
        end = 0.0
        wait: float | None
        if timeout is None:
            wait = None
        elif timeout <= 0:
            wait = 0.0
        else:
            if not timeout <= LONGEST_WAIT_S:
                timeout = cap_wait(timeout)
            end = time.monotonic() + timeout
            wait = timeout if _WINDOWS else timeout - timeout * EARLY_SHARE - self._aim.early
            if wait < 0.0:
                wait = 0.0
        try:
            readable, writable = self._wait(wait)
            if not readable and not writable and end:
                readable, writable = self._wait_out(end, timeout or 0.0, wait or 0.0)
        except OSError:
            if self._closed:  # by another thread, and after a signal the library waits for what may be closed
                raise self._refusal("select") from None
            if not self._drop_the_dead():
                raise
            readable, writable = self._wait(0.0)
        if self._closed:  # by another thread during the wait
            raise self._refusal("select")
        keys = self._keys
        try:
            # Readers alone, the commonest case, need no merging. (100 ready of 100: 17.1 to 13.4 us)
            if not writable:
                return [(keys[fd], EVENT_READ) for fd in readable]
            return [(keys[fd], mask) for fd, mask in _merged(readable, writable).items()]
        except KeyError:  # unregistered by another thread during the wait
            return [(keys[fd], mask) for fd, mask in _merged(readable, writable).items() if fd in keys]

    def _wait(self, wait: float | None) -> tuple[list[int], list[int]]:
        readers, writers = self._readers, self._writers
        if not _WINDOWS:
            readable, writable, _ = self.kernel.select(readers, writers, (), wait)
            return readable, writable
        if not readers and not writers:
            time.sleep(LONGEST_WAIT_S if wait is None else wait)
            return [], []
        readable, writable, failed = self.kernel.select(readers, writers, writers, wait)
        return readable, writable + failed

    def _wait_out(self, end: float, rest: float, asked: float) -> tuple[list[int], list[int]]:
        """Go on where *rest* were left and *asked* for, and nothing was ready."""
        while True:
            left = end - time.monotonic()
            self._aim.learn(asked, rest - left)
            if left <= 0 or self._closed:
                return [], []
            rest = left
            asked = max(rest, _TICK_S) if _WINDOWS else self._aim.at(rest)
            readable, writable = self._wait(asked)
            if readable or writable:
                return readable, writable

    def _watch(self, fd: int, events: int) -> None:
        if events & EVENT_READ:
            self._readers.add(fd)
        if events & EVENT_WRITE:
            self._writers.add(fd)

    def _drop_the_dead(self) -> bool:
        """Drop every number that select(2) refuses on its own; whether there was one.

        Raises OSError for what is no file's fault: without a file the call fails as well, or it may pass.
        """
        if not _WINDOWS:
            self.kernel.select([], [], [], 0)
        dead = []
        for fd in list(self._keys):
            try:
                self.kernel.select([fd], [], [], 0)
            except OSError as error:
                if error.errno in MOMENTARY:
                    raise
                dead.append(fd)
        for fd in dead:
            self._remove(fd, 0)
            self._drop(fd)
        return bool(dead)

    def _require_open(self, fd: int) -> None:
        try:
            self.kernel.select([fd], [], [], 0)
        except OSError as error:
            if _WINDOWS and error.errno in (errno.ENOTSOCK, errno.EOPNOTSUPP):  # the latter on Wine
                why = f"file descriptor {fd}: no open socket, and select on Windows watches nothing else;"
                raise OSError(error.errno, f"{why} read and write files and pipes in threads") from None
            raise

    def _require_room(self, fd: int, events: int) -> None:
        for event, watched in ((EVENT_READ, self._readers), (EVENT_WRITE, self._writers)):
            if events & event and len(watched) >= _SOCKETS_PER_SET_ON_WINDOWS:
                raise ValueError(
                    f"file descriptor {fd}: select watches {_SOCKETS_PER_SET_ON_WINDOWS} sockets (FD_SETSIZE)"
                    " on Windows; unregister some, or use asyncio.ProactorEventLoop"
                )


def _merged(readable: list[int], writable: list[int]) -> dict[int, int]:
    """The events of each number, those that can be read first."""
    events = dict.fromkeys(readable, EVENT_READ)
    for fd in writable:
        events[fd] = events.get(fd, 0) | EVENT_WRITE
    return events


@functools.cache
def _fd_setsize() -> int:
    """The first number, a power of two, that Python's wrapper refuses before it asks the kernel."""
    size = 64
    while size < 1 << 20:
        try:
            kernel.select([size], [], [], 0)  # type: ignore[attr-defined]  # those of `select`, not gevent's
        except ValueError:
            return size
        except OSError:
            pass  # closed, but it has a bit
        size *= 2
    return size
