"""Waiting for the loop's child processes to end.

On Linux a pidfd becomes readable when its process ends, and the selector watches it like any other file: no
thread, no SIGCHLD handler, any thread may run the loop. Elsewhere, and where a pidfd cannot be had or watched
(seccomp filters, no descriptors left, FD_SETSIZE), a thread waits for the process. Either only learns that it
ended; the loop reaps it. So between an end and its report there is a zombie, whose number is nobody else's,
and a signal sent meanwhile hits no stranger. Not on a system without waitid(2), where the thread has to reap.

A child that somebody else has reaped has lost its exit code: 255, with a warning. If that was its own Popen,
nothing is lost.

Sources: pidfd_open(2), waitid(2); https://docs.python.org/3/library/asyncio-subprocess.html
"""

from __future__ import annotations

import os
import subprocess
import threading
from asyncio.log import logger
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import cast

from ..selectors_impl.identity import identify
from .core import Core
from .handles import OwnedHandle

_CODE_LOST = 255

Popen = subprocess.Popen[bytes]


class Child:
    """A process whose end is reported once, by ``report(exit code)`` in the loop."""

    def __init__(self, loop: Children, process: Popen, report: Callable[[int], object]) -> None:
        self._loop = loop
        self._process = process
        self._report: Callable[[int], object] | None = report  # None: nobody wants to know any more
        self._pidfd = -1

    def __repr__(self) -> str:
        how = "in a thread" if self._pidfd < 0 else f"pidfd={self._pidfd}"
        return f"<{type(self).__name__} pid={self._process.pid} {how}>"

    def watch(self) -> None:
        """RuntimeError if a thread is needed and cannot be started."""
        if hasattr(os, "pidfd_open"):
            try:
                self._open_pidfd()
                return
            except (OSError, ValueError) as error:
                if self._loop.get_debug():
                    logger.debug("%r: no pidfd (%s), waiting in a thread", self, error)
        self._wait_in_thread()

    def _open_pidfd(self) -> None:
        self._pidfd = os.pidfd_open(self._process.pid)
        self._identity = identify(self._pidfd)
        self._handle = OwnedHandle(self._pidfd_ready, (), self._loop)
        try:
            self._loop._readiness.add(self._pidfd, self._pidfd, EVENT_READ, self._handle)
        except (OSError, ValueError):
            self.close()
            raise

    def _pidfd_ready(self) -> None:
        self.close()
        # It has not ended when a debugger has yet to let go of it, and when the pidfd was closed underfoot.
        if not self.reap(os.WNOHANG):
            self._wait_in_thread()

    def _wait_in_thread(self) -> None:
        name = f"muxloop-waits-for-{self._process.pid}"
        threading.Thread(target=self._wait, name=name, daemon=True).start()

    def _wait(self) -> None:
        """Runs in a thread of its own."""
        pid = self._process.pid
        if hasattr(os, "waitid"):
            with suppress(ChildProcessError):
                # macOS tells of a child that stopped as well.
                while (seen := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)) and (
                    seen.si_code == os.CLD_STOPPED
                ):
                    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG)
            call: Callable[[], object] = self.reap
        else:
            call = partial(self._end, cast(int, self._take_exit_code(0)))
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # closed: nobody waits, but a zombie would stay
            self._take_exit_code(0)

    def reap(self, options: int = 0) -> bool:
        """Take the exit code of the process, and report it; whether it has ended."""
        code = self._take_exit_code(options)
        if code is not None:
            self._end(code)
        return code is not None

    def _take_exit_code(self, options: int) -> int | None:
        process = self._process
        try:
            pid, status = os.waitpid(process.pid, options)
        except ChildProcessError:
            if process.returncode is not None:
                return process.returncode  # Popen.poll() or wait() was called
            if self._report is not None:
                logger.warning(
                    "child process %d was reaped by somebody else: its exit code is lost and reported as %d",
                    process.pid,
                    _CODE_LOST,
                )
            return _CODE_LOST
        return os.waitstatus_to_exitcode(status) if pid else None

    def _end(self, code: int) -> None:
        self._loop._jobs.discard(self)
        if self._report is not None:
            self._report(code)

    def abandon(self) -> None:
        """Report nothing. A thread that goes on waiting then keeps no transport alive."""
        self._report = None
        self.close()

    def close(self) -> None:
        """Give up the pidfd."""
        fd, self._pidfd = self._pidfd, -1
        if fd >= 0:
            self._loop._readiness.release(fd, EVENT_READ, self._handle)
            if identify(fd) == self._identity:  # not closed underfoot, and its number another file's
                with suppress(OSError):
                    os.close(fd)


class Children(Core):
    """A loop that has child processes."""

    def _watch_child(self, process: Popen, report: Callable[[int], object]) -> None:
        """Call ``report(exit code)`` in the loop when ``process`` has ended and is reaped.

        Until then a virtual clock keeps real time: it cannot foresee the end.
        """
        child = Child(self, process, report)
        child.watch()
        self._jobs.add(child)

    def close(self) -> None:
        """As the rest of the loop's ``close``. Children that still run go on; nobody waits for them."""
        super().close()
        for job in list(self._jobs):
            if isinstance(job, Child):
                job.abandon()
                self._jobs.discard(job)
