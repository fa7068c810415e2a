"""Child processes that end.

Where there are pidfds (Linux 5.3), each process that is watched has one, among the files that the loop
watches: no signal handler, and nobody else's children are reaped. Where there are none, and for what a pidfd
does not tell (``pid`` 0 for any child, ``trace`` for one that stops or goes on), SIGCHLD has the loop ask
waitpid(2).

A status is collected once and given to all watchers of the process. libev asks waitpid(2) for every child of
the program at each SIGCHLD and so takes from ``os.waitpid`` what nobody watches; here only a watcher of
``pid`` 0 does, and takes one child at a time.
"""

from __future__ import annotations

import os
import signal
from asyncio.log import logger
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from .files import Io
from .process import original
from .signals import Signal
from .watchers import FIRED, MAXPRI, READ, Watcher

if TYPE_CHECKING:
    from .loop import Loop

_ANY = 0

# What asyncio says of a child that somebody else waited for.
_STATUS_LOST = 255 << 8


class Children:
    """The processes that are watched, in one loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._watchers: dict[int, list[Child]] = {}
        self._pidfds: dict[int, Io] = {}
        self._sigchld: Signal | None = None

    def enter(self, watcher: Child) -> None:
        """Watch one more. ProcessLookupError if there is no such process, RuntimeError as for signals."""
        pid = watcher.pid
        by_signal = pid == _ANY or watcher.trace or not self._open_pidfd(pid)
        if by_signal:
            self._install_sigchld()
            # It may have ended before the handler was there.
            self._loop.run_callback(self.look)
        self._watchers.setdefault(pid, []).append(watcher)

    def leave(self, watcher: Child) -> None:
        """Watch one less."""
        watchers = self._watchers.get(watcher.pid, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[watcher.pid]
                self._close_pidfd(watcher.pid)

    def expect(self) -> None:
        """A child is about to be made: let its status be kept until it is asked for."""
        if original("signal", "getsignal")(signal.SIGCHLD) == signal.SIG_IGN:  # the kernel would reap it
            with suppress(ValueError):  # not in the main thread
                original("signal", "signal")(signal.SIGCHLD, signal.SIG_DFL)
        if not hasattr(os, "pidfd_open"):
            self._install_sigchld()

    def look(self) -> None:
        """Ask for every child that is watched by signal."""
        for pid in list(self._watchers):
            if pid not in self._pidfds and pid != _ANY:
                self._ask(pid)
        # One at a time: the watchers of any child have room for one status; gevent asks anew for the next.
        if _ANY in self._watchers and not any(watcher.pending for watcher in self._watchers[_ANY]):
            self._ask(-1)

    def forget_parent(self) -> None:
        """In a forked child: the processes are its siblings, about which it hears nothing."""
        self._watchers.clear()
        for pid in list(self._pidfds):
            self._close_pidfd(pid)

    def close(self) -> None:
        """Let go of every process."""
        self.forget_parent()
        if self._sigchld is not None:
            self._sigchld.stop()
            self._sigchld = None

    def _open_pidfd(self, pid: int) -> bool:
        """Whether the process has a pidfd now."""
        if pid in self._pidfds:
            return True
        open_pidfd: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
        if open_pidfd is None:
            return False
        try:
            fd = open_pidfd(pid)
        except ProcessLookupError:
            raise
        except OSError:  # an older kernel, a filter of system calls, or no descriptor left
            return False
        pidfd = self._pidfds[pid] = Io(self._loop, fd, READ, ref=False, priority=MAXPRI)
        try:
            pidfd.start(self._ask, pid)
        except BaseException:
            self._close_pidfd(pid)
            raise
        return True

    def _close_pidfd(self, pid: int) -> None:
        pidfd = self._pidfds.pop(pid, None)
        if pidfd is not None:
            pidfd.close()
            with suppress(OSError):
                os.close(pidfd.fd)

    def _install_sigchld(self) -> None:
        if self._sigchld is None:
            self._sigchld = Signal(self._loop, signal.SIGCHLD, ref=False, priority=MAXPRI)
        if not self._sigchld.active:
            self._sigchld.start(self.look)

    def _ask(self, pid: int) -> None:
        """Collect a status, if there is one, and hand it to who waits for it."""
        traced = any(watcher.trace for watcher in self._watchers.get(max(pid, _ANY), ()))
        options = os.WNOHANG | (os.WUNTRACED | os.WCONTINUED if traced else 0)
        try:
            ended, status = original("os", "waitpid")(pid, options)
        except ChildProcessError:
            if pid not in self._pidfds:
                return  # not ours, or not yet made
            logger.warning("Child process %d was waited for by somebody else: its status counts as 255", pid)
            ended, status = pid, _STATUS_LOST
        if not ended:
            return
        is_over = not (os.WIFSTOPPED(status) or os.WIFCONTINUED(status))
        for watcher in [*self._watchers.get(ended, ()), *self._watchers.get(_ANY, ())]:
            if is_over or watcher.trace:
                watcher.rpid, watcher.rstatus = ended, status
                self._loop._feed(watcher, FIRED)
        if is_over:
            self._close_pidfd(ended)


class Child(Watcher):
    """Fires when a child process has ended; ``rpid`` and ``rstatus`` are then what waitpid(2) said.

    ``pid`` 0 is any child. With ``trace``, also when one stops or goes on. TypeError on any loop but the
    default one, as gevent documents.
    """

    __slots__ = ("pid", "rpid", "rstatus", "trace")

    def __init__(self, loop: Loop, pid: int, trace: int = 0, ref: bool = True) -> None:
        if not loop.default:
            raise TypeError("child watchers are only available on the default loop")
        super().__init__(loop, ref)
        loop.install_sigchld()
        self.pid = pid
        self.trace = trace
        self.rpid = 0
        self.rstatus = 0

    def _arm(self) -> None:
        self.loop._children.enter(self)

    def _disarm(self) -> None:
        self.loop._children.leave(self)

    def _format(self) -> str:
        return f" pid={self.pid} rstatus={self.rstatus}"
