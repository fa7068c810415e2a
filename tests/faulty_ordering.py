"""Faults in the order and the context in which callbacks run (rules ORD)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context
from typing import Any

from faulty_base import FaultBed, SteppedLoop

ORDERING_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

ROUNDS_BEFORE_MERCY = 1000
"""How long a starving fault keeps everyone else waiting: long enough to be seen, and the process survives."""


@ORDERING_FAULTS.plant
class LastInFirstOut(SteppedLoop):
    """invented: a batch of callbacks runs from its end. Breaks ORD-01."""

    def _call_batch(self) -> None:
        for handle in [self._ready.popleft() for _ in range(len(self._ready))][::-1]:
            self._call_handle(handle)


@ORDERING_FAULTS.plant
class CallSoonTwice(SteppedLoop):
    """invented: a callback given to call_soon runs twice. Breaks ORD-01."""

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        # Futures and tasks always pass a context; a task's step run twice would be another fault.
        if context is None:
            super().call_soon(callback, *args)
        return super().call_soon(callback, *args, context=context)


@ORDERING_FAULTS.plant
class SameTurn(SteppedLoop):
    """20 uvloop 517, at work all the time: what a callback schedules runs before the next poll. Breaks
    ORD-02."""

    def _call_batch(self) -> None:
        for _ in range(3):
            super()._call_batch()


@ORDERING_FAULTS.plant
class ReentrantCallSoon(SteppedLoop):
    """invented: call_soon in a callback calls at once, inside the callback that asks. Breaks ORD-03."""

    inside = False

    def _call_handle(self, handle: Any) -> None:
        self.inside = True
        super()._call_handle(handle)
        self.inside = False

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        if self.inside and context is None:
            self._ready.pop()
            self.inside = False
            super()._call_handle(handle)
            self.inside = True
        return handle


@ORDERING_FAULTS.plant
class ThreadsafeJumpsQueue(SteppedLoop):
    """invented: call_soon_threadsafe goes before what is already queued. Breaks ORD-04."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self._ready.remove(handle)
        self._ready.appendleft(handle)
        return handle


@ORDERING_FAULTS.plant
class TimersFirst(SteppedLoop):
    """seen in uvloop 0.23 and rloop 0.5: due timers overtake what call_soon queued. Breaks ORD-05."""

    def _queue_due(self) -> None:
        self._ready.extendleft(self._pop_due(self.time() + self._clock_resolution)[::-1])


@ORDERING_FAULTS.plant
class TimersBeforeIo(SteppedLoop):
    """seen in uvloop 0.23: due timers are queued before the I/O of the same poll. Breaks ORD-06."""

    def _process_events(self, event_list: list[tuple[selectors.SelectorKey, int]]) -> None:
        self._queue_due()
        super()._process_events(event_list)


@ORDERING_FAULTS.plant
class WriterFirst(SteppedLoop):
    """invented: of an fd that is both, the writer runs before the reader. Breaks ORD-07."""

    def _process_events(self, event_list: list[tuple[selectors.SelectorKey, int]]) -> None:
        for direction in (selectors.EVENT_WRITE, selectors.EVENT_READ):
            super()._process_events([(key, mask & direction) for key, mask in event_list])


@ORDERING_FAULTS.plant
class DrainsBeforePolling(SteppedLoop):
    """invented: the queue is run until it is empty, so callbacks that schedule themselves starve I/O.
    Breaks ORD-08."""

    def _call_batch(self) -> None:
        for _ in range(ROUNDS_BEFORE_MERCY):
            super()._call_batch()
            if not self._ready or self._stopping:
                break


@ORDERING_FAULTS.plant
class DueTimersNotSnapshotted(SteppedLoop):
    """4 libuv 4245: zero timers armed by a timer are due at once, again and again, before the poll. Breaks
    ORD-09."""

    def _call_batch(self) -> None:
        for _ in range(ROUNDS_BEFORE_MERCY):
            super()._call_batch()
            timers = self._pop_due(self.time() + self._clock_resolution)
            if not timers or self._stopping:
                self._ready.extend(timers)
                break
            self._ready.extendleft(timers[::-1])


@ORDERING_FAULTS.plant
class LiveHeapWalked(SteppedLoop):
    """5 tornado 947: due timers are called straight from the heap they may add to. Breaks ORD-09."""

    def _queue_due(self) -> None:
        for _ in range(ROUNDS_BEFORE_MERCY):
            timers = self._pop_due(self.time() + self._clock_resolution)
            if not timers:
                break
            for timer in timers:
                self._call_handle(timer)


@ORDERING_FAULTS.plant
class DoneCallbacksAtOnce(SteppedLoop):
    """invented: set_result calls the done-callbacks itself, not through the queue. Breaks ORD-10."""

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        # A task that waits is left alone: it cannot be entered while another one runs.
        waits = isinstance(getattr(callback, "__self__", None), asyncio.Task)
        if args and asyncio.isfuture(args[0]) and not waits:
            self._ready.remove(handle)
            self._call_handle(handle)
        return handle


class BackwardFuture(asyncio.futures._PyFuture):  # type: ignore[name-defined, misc]
    """A future that keeps its callbacks in the order opposite to the one they were added in."""

    def add_done_callback(self, fn: Callable[..., object], *, context: Context | None = None) -> None:
        super().add_done_callback(fn, context=context)
        if not self.done():
            self._callbacks.insert(0, self._callbacks.pop())


@ORDERING_FAULTS.plant
class DoneCallbacksReversed(SteppedLoop):
    """invented: done-callbacks of a future run in the reverse of the order they were added. Breaks ORD-10."""

    def create_future(self) -> asyncio.Future[Any]:
        return BackwardFuture(loop=self)


@ORDERING_FAULTS.plant
class TimerLosesContext(SteppedLoop):
    """invented: call_later and call_at ignore their context argument. Breaks ORD-11."""

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,  # noqa: ARG002 - ignoring it is the fault
    ) -> asyncio.TimerHandle:
        return super().call_at(when, callback, *args)


@ORDERING_FAULTS.plant
class ThreadsafeLosesContext(SteppedLoop):
    """invented: call_soon_threadsafe ignores its context argument. Breaks ORD-11."""

    def call_soon_threadsafe(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,  # noqa: ARG002 - ignoring it is the fault
    ) -> asyncio.Handle:
        return super().call_soon_threadsafe(callback, *args)


@ORDERING_FAULTS.plant
class ContextOfTheLoop(SteppedLoop):
    """invented: a callback runs in the context of whoever runs the loop, not of who scheduled it. Breaks
    ORD-11."""

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return super().call_soon(callback, *args, context=context or self.context)

    def run_forever(self) -> None:
        self.context = Context()
        super().run_forever()

    context = Context()
