"""Faults in what a loop takes from its process and does not give back (rules RES)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

from faulty_base import FaultBed, SteppedLoop

RESOURCE_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

TICK_S = 0.002


@RESOURCE_FAULTS.plant
class DuplicatesWatchedFiles(SteppedLoop):
    """invented: a reader is watched through a duplicate of its file that nobody closes. Breaks RES-01."""

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        os.dup(fd if isinstance(fd, int) else fd.fileno())
        super().add_reader(fd, callback, *args)


@RESOURCE_FAULTS.plant
class ThreadOutlivesItsLoop(SteppedLoop):
    """invented: the first wake-up starts a thread that waits for others, past close(). Breaks RES-02."""

    waiting = False

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if not self.waiting:
            self.waiting = True
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        return super().call_soon_threadsafe(callback, *args, context=context)


@RESOURCE_FAULTS.plant
class KeepsWhatRan(SteppedLoop):
    """16 uvloop 239: the loop goes on to hold the handles of timers that have fired. Breaks RES-03."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] = []

    def _queue_due(self) -> None:
        due = self._pop_due(self.time() + self._clock_resolution)
        self.kept += due
        self._ready.extend(due)


@RESOURCE_FAULTS.plant
class CloseKeepsTheQueue(SteppedLoop):
    """invented: close() leaves what is pending in a registry of all loops there were. Breaks RES-03."""

    registry: list[Any] = []  # noqa: RUF012 - that is the fault

    def close(self) -> None:
        if not self.is_closed():
            self.registry.append((list(self._ready), list(self._scheduled)))
        super().close()


@RESOURCE_FAULTS.plant
class SelfPipeIsLeftToTheCollector(SteppedLoop):
    """invented: close() forgets the sockets of the self-pipe without closing them. Breaks RES-04."""

    def _close_self_pipe(self) -> None:
        self._remove_reader(self._ssock.fileno())
        self._internal_fds -= 1


@RESOURCE_FAULTS.plant
class ReportsWhatWasCancelled(SteppedLoop):
    """invented: the exception handler is told of callbacks that were cancelled in time. Breaks RES-05."""

    def _call_handle(self, handle: Any) -> None:
        if handle._cancelled:
            self.call_exception_handler({"message": "a callback did not run"})
        super()._call_handle(handle)


@RESOURCE_FAULTS.plant
class TicksAtRest(SteppedLoop):
    """seen in loops for Windows: the loop looks up every few milliseconds, due or not. Breaks RES-06."""

    def _wait_s(self) -> float | None:
        wait_s = super()._wait_s()
        return TICK_S if wait_s is None else min(wait_s, TICK_S)


@RESOURCE_FAULTS.plant
class PollsAtRest(SteppedLoop):
    """invented: with a reader to watch the loop polls and polls, and never waits. Breaks RES-07."""

    def _wait_s(self) -> float | None:
        mine = self._internal_fds
        return 0.0 if len(self._selector.get_map()) > mine else super()._wait_s()


@RESOURCE_FAULTS.plant
class KeepsTheWakeUpFile(SteppedLoop):
    """invented: signals shall wake the loop, and go on to after it is closed. Breaks RES-08."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._csock.fileno())
        return super().call_soon_threadsafe(callback, *args, context=context)


# -- what shows in programs of other rules only --------------------------------------------------------------


@RESOURCE_FAULTS.plant
class DuplicatesReceivingSockets(SteppedLoop):
    """invented: sock_recv() waits for a duplicate that nobody closes. Breaks RES-01 in programs of CAN-12."""

    async def sock_recv(self, sock: Any, nbytes: int) -> bytes:
        os.dup(sock.fileno())
        return await super().sock_recv(sock, nbytes)


@RESOURCE_FAULTS.plant
class LooksUpInThreadsThatStay(SteppedLoop):
    """invented: every look-up has a thread of its own, which stays. Breaks RES-02 in programs of DNS-01."""

    async def getaddrinfo(self, *args: Any, **keywords: Any) -> Any:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return await super().getaddrinfo(*args, **keywords)


@RESOURCE_FAULTS.plant
class KeepsCancelledJobs(SteppedLoop):
    """invented: what run_in_executor() was given is noted for a cancelled future, too, and never struck out.
    Breaks RES-03 in programs of CAN-15."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: dict[Any, Any] = {}

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        future = super().run_in_executor(executor, func, *args)
        self.noted[future] = func, args
        future.add_done_callback(lambda done: done.cancelled() or self.noted.pop(done))
        return future


@RESOURCE_FAULTS.plant
class KeepsRemovedSignalHandlers(SteppedLoop):
    """invented: the handler of a signal and its arguments are kept when it is removed, in case it comes back.
    Breaks RES-03 in programs of SIG-02."""

    def __init__(self) -> None:
        super().__init__()
        self.former: dict[int, Any] = {}

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:
        super().add_signal_handler(sig, callback, *args)
        self.former[sig] = callback, args


@RESOURCE_FAULTS.plant
class LeavesItsProfiler(SteppedLoop):
    """invented: in debug mode run_forever() takes a profile function along, and leaves it behind. Breaks
    RES-08 in programs of EXC-06."""

    def run_forever(self) -> None:
        if self._debug:
            sys.setprofile(_take_no_notice)
        super().run_forever()


def _take_no_notice(*_: object) -> None:
    """A profile function."""
