"""Faults in when timers fire (rules TMR); what becomes of cancelled ones is in `faulty_heaps`."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any

from faulty_base import FaultBed, SteppedLoop

TIMER_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

COARSE_TICK_S = 1 / 64
"""The clock of Windows; a power of two, so that sums of ticks stay exact."""

SLOT_S = 0.02
WHEEL_TICK_S = 0.002
WHEEL_SLOTS = 128
STALE_WAIT_S = 5.0
LATENESS_S = 0.05


@TIMER_FAULTS.plant
class EarlyTimer(SteppedLoop):
    """17 uvloop 29, 233, 739: timers fire up to a millisecond early, by a floored clock. Breaks TMR-01."""

    def _wait_s(self) -> float | None:
        timeout_s = super()._wait_s()
        return timeout_s and math.floor(timeout_s * 1e3) * 1e-3

    def _queue_due(self) -> None:
        self._ready.extend(self._pop_due(self.time() + 0.001))


@TIMER_FAULTS.plant
class ExactDeadlineLost(SteppedLoop):
    """13 gh-116342, gh-145703 and 38 gh-127859 class: due means "before now", kept means "after now", and a
    timer at the exact time of a coarse clock is neither. Breaks TMR-01."""

    def time(self) -> float:
        return math.floor(time.monotonic() / COARSE_TICK_S) * COARSE_TICK_S

    def _queue_due(self) -> None:
        now = self.time()
        self._ready.extend(self._pop_due(now))
        while self._scheduled and self._scheduled[0]._when == now:
            heapq.heappop(self._scheduled)


@TIMER_FAULTS.plant
class ClaimsFifoDeadlines(SteppedLoop):
    """invented: equal deadlines are said to fire in the order of arming, by a heap that knows none. Breaks
    TMR-04."""

    claims = frozenset({"fifo-deadlines"})


class NumberedTimer(asyncio.TimerHandle):
    """A timer that knows when it was armed."""

    __slots__ = ("number",)
    numbers = count()

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.number = next(self.numbers)


@TIMER_FAULTS.plant
class SlottedDeadlines(SteppedLoop):
    """17 uvloop 233: deadlines of one slot of the timer wheel fire in the order of arming. Breaks TMR-02."""

    timer_type = NumberedTimer

    def _slot_begins(self) -> float:
        return math.floor(self.time() / SLOT_S) * SLOT_S

    def _wait_s(self) -> float | None:
        timeout_s = super()._wait_s()
        if timeout_s is None or self._ready or self._stopping:
            return timeout_s
        return timeout_s + SLOT_S

    def _queue_due(self) -> None:
        self._ready.extend(sorted(self._pop_due(self._slot_begins()), key=lambda timer: timer.number))


@TIMER_FAULTS.plant
class OverdueBackwards(SteppedLoop):
    """invented: timers that come due together fire latest first. Breaks TMR-03."""

    def _pop_due(self, before: float) -> list[Any]:
        return super()._pop_due(before)[::-1]


@TIMER_FAULTS.plant
class PlainHandleForZeroDelay(SteppedLoop):
    """seen in uvloop 0.23: call_later of nothing returns a plain Handle, which has no when(). Breaks
    TMR-05."""

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if delay <= 0:
            return self.call_soon(callback, *args, context=context)
        return super().call_later(delay, callback, *args, context=context)


@TIMER_FAULTS.plant
class NegativeDelayWaits(SteppedLoop):
    """invented: the sign of a delay is dropped, so a negative one waits. Breaks TMR-05."""

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return super().call_later(abs(delay), callback, *args, context=context)


class ForgetfulTimer(asyncio.TimerHandle):
    """A timer that gives its deadline up when it fires."""

    __slots__ = ()
    _when: float | None

    def when(self) -> float:
        if self._when is None:
            raise TypeError("timer has no deadline any more")
        return self._when

    def _run(self) -> None:
        self._when = None
        super()._run()


@TIMER_FAULTS.plant
class WhenAfterFiringCrashes(SteppedLoop):
    """16 uvloop 37, 239, 468: when() of a timer that has fired raises TypeError. Breaks TMR-06."""

    timer_type = ForgetfulTimer


@TIMER_FAULTS.plant
class ClockRunsBack(SteppedLoop):
    """invented: every third reading of the clock is five milliseconds behind. Breaks TMR-07."""

    readings = count(1)

    def time(self) -> float:
        return super().time() - (0.005 if next(self.readings) % 3 == 0 else 0.0)


@TIMER_FAULTS.plant
class LastMillisecondSpins(SteppedLoop):
    """6 tornado 978, bpo-20311, bpo-20505 and 7 mio 1614: the wait is rounded down to milliseconds, and the
    rest is spent polling. Breaks TMR-08."""

    def _wait_s(self) -> float | None:
        timeout_s = super()._wait_s()
        return timeout_s and math.floor(timeout_s * 1e3) * 1e-3


@TIMER_FAULTS.plant
class InfiniteDelayCrashes(SteppedLoop):
    """seen in loops that count milliseconds in integers: an infinite delay is accepted, then kills the run.
    Breaks TMR-09."""

    def _wait_s(self) -> float | None:
        if self._scheduled:
            int((self._scheduled[0]._when - self.time()) * 1e3)
        return super()._wait_s()


@TIMER_FAULTS.plant
class WaitNotShortened(SteppedLoop):
    """invented: the wait is settled before the batch is called, so a timer armed by a callback is late.
    Breaks TMR-10."""

    horizon: float | None = None

    def run_forever(self) -> None:
        self.horizon = None
        super().run_forever()

    def _wait_s(self) -> float | None:
        fresh_s = super()._wait_s()
        if not fresh_s or self.horizon is None:
            return fresh_s
        return max(0.0, self.horizon - self.time())

    def _call_batch(self) -> None:
        self.horizon = self._scheduled[0]._when if self._scheduled else self.time() + STALE_WAIT_S
        super()._call_batch()


@TIMER_FAULTS.plant
class TimersLate(SteppedLoop):
    """invented: each wait for a timer is fifty milliseconds too long. Breaks TMR-11."""

    def _wait_s(self) -> float | None:
        timeout_s = super()._wait_s()
        return timeout_s and timeout_s + LATENESS_S


class WheeledTimer(asyncio.TimerHandle):
    """A timer that may come a turn of its wheel later than it promises; sound as it stands."""

    __slots__ = ("promised",)

    def __init__(self, when: float, callback: Any, args: Any, loop: Any, context: Context | None) -> None:
        self.promised = when
        ticks = math.ceil(when / WHEEL_TICK_S) - math.floor(loop.time() / WHEEL_TICK_S)
        turn_s = WHEEL_TICK_S * WHEEL_SLOTS if self.misses_a_turn(ticks) else 0.0
        super().__init__(when + turn_s, callback, args, loop, context)

    def when(self) -> float:
        return self.promised

    @staticmethod
    def misses_a_turn(ticks: int) -> bool:  # noqa: ARG004 - for those that look at it
        return False


class WholeTurnTimer(WheeledTimer):
    """A timer whose last turn begins where it is due."""

    __slots__ = ()

    @staticmethod
    def misses_a_turn(ticks: int) -> bool:
        return ticks > 0 and ticks % WHEEL_SLOTS == 0


class FarTimer(WheeledTimer):
    """A timer that counts the turn under way as one to wait for."""

    __slots__ = ()

    @staticmethod
    def misses_a_turn(ticks: int) -> bool:
        return ticks > WHEEL_SLOTS


@TIMER_FAULTS.plant
class WholeTurnsOfTheWheelAreLate(SteppedLoop):
    """invented: a timer whose delay is a whole number of turns of the wheel, 256 ms each, comes a turn late.
    Breaks TMR-11."""

    timer_type = WholeTurnTimer


@TIMER_FAULTS.plant
class BeyondATurnIsLate(SteppedLoop):
    """invented: every timer farther than one turn of the wheel, 256 ms, comes a turn late. Breaks TMR-11."""

    timer_type = FarTimer


@TIMER_FAULTS.plant
class FarTimersLostAfterAWhile(SteppedLoop):
    """invented: once the loop is older than a second, a timer that is due in a later one than this is lost.
    Breaks TMR-11."""

    def __init__(self) -> None:
        super().__init__()
        self._old_at = self.time() + 1

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.time() > self._old_at and int(when) > int(self.time()):
            self._check_closed()
            return self.timer_type(when, callback, args, self, context)
        return super().call_at(when, callback, *args, context=context)


@TIMER_FAULTS.plant
class ForeignThreadArms(SteppedLoop):
    """seen in rloop 0.5: debug mode lets another thread arm a timer. Breaks TMR-12."""

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        debug, self._debug = self._debug, False
        try:
            return super().call_at(when, callback, *args, context=context)
        finally:
            self._debug = debug
