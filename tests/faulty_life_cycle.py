"""Faults in threads and wake-ups (rules THR), and in starting, stopping and closing a loop (rules LIF)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from faulty_base import FaultBed, SteppedLoop

LIFE_CYCLE_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

RACE_WINDOW_S = 0.005
"""A race that is lost once in a million turns shows nothing: the faulty loop holds the window open."""


@LIFE_CYCLE_FAULTS.plant
class NoWakeUp(SteppedLoop):
    """18 uvloop 408: call_soon_threadsafe leaves a blocked loop asleep. Breaks THR-01."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self._check_closed()
        return self._call_soon(callback, args, context)


@LIFE_CYCLE_FAULTS.plant
class WakeUpLostBeforePoll(SteppedLoop):
    """18 uvloop 408: the wake-up is skipped unless the loop says it is polling, which it says too late.
    Breaks THR-02."""

    polling = False

    def _poll(self, timeout_s: float | None) -> Any:
        if timeout_s != 0:
            time.sleep(RACE_WINDOW_S)
        self.polling = True
        try:
            return super()._poll(timeout_s)
        finally:
            self.polling = False

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self._check_closed()
        handle = self._call_soon(callback, args, context)
        if self.polling:
            self._write_to_self()
        return handle


@LIFE_CYCLE_FAULTS.plant
class RefusedWakeUpLoses(SteppedLoop):
    """19 gh-156054, bpo-39651: each byte in the self-pipe stands for one callback, and a refused byte is
    swallowed. Breaks THR-03."""

    _csock: Any

    def __init__(self) -> None:
        self.mailbox: deque[asyncio.Handle] = deque()
        super().__init__()

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self._check_closed()
        handle = self.handle_type(callback, args, self, context)
        self.mailbox.append(handle)
        try:
            self._csock.send(b"\0")
        except BlockingIOError:
            self.mailbox.pop()
        return handle

    def _process_self_data(self, data: bytes) -> None:
        for _ in range(min(len(data), len(self.mailbox))):
            self._ready.append(self.mailbox.popleft())


@LIFE_CYCLE_FAULTS.plant
class FloodDoubles(SteppedLoop):
    """invented: a thread-safe call that finds others waiting queues the one before it again. Breaks
    THR-03."""

    latest: asyncio.Handle | None = None

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self.latest in self._ready:
            self._ready.append(self.latest)
        self.latest = super().call_soon_threadsafe(callback, *args, context=context)
        return self.latest


@LIFE_CYCLE_FAULTS.plant
class ClosedLoopAccepts(SteppedLoop):
    """seen in rloop 0.5: a closed loop takes callbacks and timers without a word. Breaks THR-04."""

    about_to_run = False

    def _check_closed(self) -> None:
        if self.about_to_run:
            super()._check_closed()

    def run_forever(self) -> None:
        self.about_to_run = True
        try:
            self._check_closed()
        finally:
            self.about_to_run = False
        super().run_forever()


@LIFE_CYCLE_FAULTS.plant
class ForeignThreadAccepted(SteppedLoop):
    """seen in rloop 0.5: debug mode does not notice call_soon from another thread. Breaks THR-05."""

    def _check_thread(self) -> None:
        pass


@LIFE_CYCLE_FAULTS.plant
class ReentryDrops(SteppedLoop):
    """invented: call_soon_threadsafe from a signal handler or __del__ inside call_soon_threadsafe is
    dropped. Breaks THR-06."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holder: int | None = None
        super().__init__()

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self.holder == threading.get_ident():
            return self.handle_type(callback, args, self, context)
        with self.lock:
            self.holder = threading.get_ident()
            try:
                # An allocation may collect garbage, and a finalizer may run right here.
                gc.collect(0)
                return super().call_soon_threadsafe(callback, *args, context=context)
            finally:
                self.holder = None


@LIFE_CYCLE_FAULTS.plant
class OwnThreadWakesNobody(SteppedLoop):
    """invented: call_soon_threadsafe from the loop's own thread leaves the loop asleep, though a signal
    handler may call it there. Breaks THR-06."""

    def _write_to_self(self) -> None:
        if threading.get_ident() != self._thread_id:
            super()._write_to_self()


@LIFE_CYCLE_FAULTS.plant
class WaitsDeafToSignals(SteppedLoop):
    """invented: signals are blocked while the loop waits, so their handlers are called after the wait. Breaks
    THR-06."""

    def _poll(self, timeout_s: float | None) -> Any:
        former = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        try:
            return super()._poll(timeout_s)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)


@LIFE_CYCLE_FAULTS.plant
class StopBeforeRunRunsNone(SteppedLoop):
    """seen in rloop 0.5: run_forever after stop() returns without its one turn. Breaks LIF-01."""

    def run_forever(self) -> None:
        if self._stopping:
            self._stopping = False
        else:
            super().run_forever()


@LIFE_CYCLE_FAULTS.plant
class StopBeforeRunForgotten(SteppedLoop):
    """seen in zloop 0.0.1 and qasync: a stop() before run_forever is forgotten, and the run never ends.
    Breaks LIF-01."""

    def run_forever(self) -> None:
        self._stopping = False
        super().run_forever()


@LIFE_CYCLE_FAULTS.plant
class StopRunsExtraBatch(SteppedLoop):
    """20 uvloop 517: the flag of stop() is tested after one more batch. Breaks LIF-02."""

    def _run_once(self) -> None:
        super()._run_once()
        if self._stopping:
            super()._run_once()


@LIFE_CYCLE_FAULTS.plant
class TimersLostBetweenRuns(SteppedLoop):
    """invented: timers do not outlive the run that armed them. Breaks LIF-03."""

    def run_forever(self) -> None:
        try:
            super().run_forever()
        finally:
            self._scheduled.clear()


@LIFE_CYCLE_FAULTS.plant
class SecondCloseRaises(SteppedLoop):
    """invented: close() of a closed loop raises RuntimeError. Breaks LIF-04."""

    def close(self) -> None:
        if self.is_closed():
            raise RuntimeError("loop is already closed")
        super().close()


@LIFE_CYCLE_FAULTS.plant
class CloseRunsPending(SteppedLoop):
    """invented: close() runs what is still queued. Breaks LIF-04."""

    def close(self) -> None:
        if not self.is_closed() and not self.is_running():
            self._call_batch()
        super().close()


@LIFE_CYCLE_FAULTS.plant
class CloseLeaksFd(SteppedLoop):
    """invented: a descriptor the loop made for itself stays open after close(). Breaks LIF-05."""

    def __init__(self) -> None:
        super().__init__()
        self.spare_fd = os.dup(self._selector.fileno())


@LIFE_CYCLE_FAULTS.plant
class NestedRunAllowed(SteppedLoop):
    """invented: a loop can be run inside a callback of another one, and of its own. Breaks LIF-06."""

    def _check_running(self) -> None:
        pass

    def _call_batch(self) -> None:
        # A nested run may have called the rest of this batch.
        for _ in range(len(self._ready)):
            if self._ready:
                self._call_handle(self._ready.popleft())


class WaitsForFutures(SteppedLoop):
    """Runs until a future is done by a method of its own; sound as it stands."""

    def run_until_complete(self, future: Any) -> Any:
        self._check_closed()
        self._check_running()
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._stop_when_done)
        try:
            self.run_forever()
        except BaseException:
            self._forsake(task)
            raise
        if task.done():
            task.remove_done_callback(self._stop_when_done)
        else:
            self._forsake(task)
        return self._result_of(task)

    def _stop_when_done(self, task: asyncio.Future[Any]) -> None:
        left = not task.cancelled() and isinstance(task.exception(), (KeyboardInterrupt, SystemExit))
        if not left:  # else the run has ended already
            self.stop()

    def _forsake(self, task: asyncio.Future[Any]) -> None:
        """The run has ended, and the task has not."""
        task.remove_done_callback(self._stop_when_done)

    def _result_of(self, task: asyncio.Future[Any]) -> Any:
        if not task.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return task.result()


@LIFE_CYCLE_FAULTS.plant
class StoppedRunReturnsNone(WaitsForFutures):
    """invented: run_until_complete returns None when stop() came before the result. Breaks LIF-06."""

    def _result_of(self, task: asyncio.Future[Any]) -> Any:
        return task.result() if task.done() else None


@LIFE_CYCLE_FAULTS.plant
class UnusableAfterInterrupt(SteppedLoop):
    """invented: after a KeyboardInterrupt every run stops at once. Breaks LIF-07."""

    interrupted = False

    def run_forever(self) -> None:
        self._stopping = self._stopping or self.interrupted
        try:
            super().run_forever()
        except KeyboardInterrupt:
            self.interrupted = True
            raise


@LIFE_CYCLE_FAULTS.plant
class InterruptedRunStopsLaterOne(WaitsForFutures):
    """invented: a run_until_complete that KeyboardInterrupt leaves keeps its callback on the future, which
    stops a later run when it is done. Breaks LIF-07."""

    def _forsake(self, task: asyncio.Future[Any]) -> None:
        if sys.exc_info()[1] is None:
            super()._forsake(task)


@LIFE_CYCLE_FAULTS.plant
class StoppedRunStopsLaterOne(WaitsForFutures):
    """invented: a run_until_complete that stop() ends keeps its callback on the future, which stops a later
    run when it is done. Breaks LIF-07."""

    def _forsake(self, task: asyncio.Future[Any]) -> None:
        if sys.exc_info()[1] is not None:
            super()._forsake(task)


@LIFE_CYCLE_FAULTS.plant
class TaskThatLeavesStopsNextRun(WaitsForFutures):
    """uvloop 336: a task whose KeyboardInterrupt or SystemExit ended a run_until_complete stops the run after
    it, too. Breaks LIF-07."""

    def _stop_when_done(self, task: asyncio.Future[Any]) -> None:  # noqa: ARG002 - as it is called
        self.stop()


@LIFE_CYCLE_FAULTS.plant
class RunningLoopLeftSet(SteppedLoop):
    """invented: after a run the loop still counts as the running one. Breaks LIF-08."""

    def run_forever(self) -> None:
        asyncio._set_running_loop(None)
        try:
            super().run_forever()
        finally:
            asyncio._set_running_loop(self)
