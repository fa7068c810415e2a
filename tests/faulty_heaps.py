"""Faults in what becomes of cancelled timers (rules HEAP)."""

from __future__ import annotations

import asyncio
import heapq
from typing import Any

from faulty_base import FaultBed, SteppedLoop

HEAP_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@HEAP_FAULTS.plant
class CancelledKept(SteppedLoop):
    """14 bpo-22448: a cancelled timer behind a live one is kept until its deadline. Breaks HEAP-01."""

    def _sweep_all(self) -> None:
        pass


@HEAP_FAULTS.plant
class SweepDropsLive(SteppedLoop):
    """invented: a sweep drops one live timer with the cancelled ones. Breaks HEAP-02."""

    def _sweep_all(self) -> None:
        super()._sweep_all()
        if self._scheduled:
            self._scheduled.pop()._scheduled = False


@HEAP_FAULTS.plant
class SweepDropsFarOnes(SteppedLoop):
    """invented: a sweep drops live timers that are due in half a second and more. Breaks HEAP-02."""

    def _sweep_all(self) -> None:
        super()._sweep_all()
        self._scheduled = [timer for timer in self._scheduled if timer._when < self.time() + 0.5]
        heapq.heapify(self._scheduled)


@HEAP_FAULTS.plant
class CancelTakesTheFirstOfItsTime(SteppedLoop):
    """invented: cancel() looks for its timer by the deadline, and takes out another one that has the same.
    Breaks HEAP-02."""

    def _timer_handle_cancelled(self, handle: Any) -> None:
        if handle._scheduled:
            first = next(timer for timer in self._scheduled if timer._when == handle._when)
            self._scheduled.remove(first)
            heapq.heapify(self._scheduled)
            first._scheduled = False


@HEAP_FAULTS.plant
class CancelTakesAllOfItsTime(SteppedLoop):
    """invented: cancel() takes out all timers of its deadline. Breaks CAN-01."""

    def _timer_handle_cancelled(self, handle: Any) -> None:
        self._scheduled = [timer for timer in self._scheduled if timer._when != handle._when]
        heapq.heapify(self._scheduled)


@HEAP_FAULTS.plant
class SweepBreaksOrder(SteppedLoop):
    """invented: what a sweep leaves is no heap, so live timers wait behind later ones. Breaks HEAP-03."""

    def _sweep_all(self) -> None:
        super()._sweep_all()
        self._scheduled.sort(reverse=True)


class ClingingTimer(asyncio.TimerHandle):
    """A timer that keeps what it would have called."""

    __slots__ = ()

    def cancel(self) -> None:
        callback, args = self._callback, self._args  # type: ignore[has-type]
        super().cancel()
        self._callback, self._args = callback, args


@HEAP_FAULTS.plant
class CancelKeepsReferences(SteppedLoop):
    """15 python/asyncio 186: a cancelled timer keeps its callback and arguments. Breaks HEAP-04."""

    timer_type = ClingingTimer


class CountTrustingLoop(SteppedLoop):
    """Drops the whole heap when as many are counted cancelled as it holds: sound while the count is."""

    def _sweep(self) -> None:
        if self._scheduled and self._timer_cancelled_count >= len(self._scheduled):
            for timer in self._scheduled:
                timer._scheduled = False
            self._scheduled.clear()
            self._timer_cancelled_count = 0
        super()._sweep()


class RecountingTimer(asyncio.TimerHandle):
    """A timer that reports each cancel(), the second as well."""

    __slots__ = ()

    def cancel(self) -> None:
        if self._cancelled:
            self._loop._timer_handle_cancelled(self)  # type: ignore[attr-defined]
        super().cancel()


@HEAP_FAULTS.plant
class DoubleCancelCounted(CountTrustingLoop):
    """invented: a timer cancelled twice counts twice, and a live one is dropped for it. Breaks HEAP-05."""

    timer_type = RecountingTimer


@HEAP_FAULTS.plant
class LateCancelCounted(CountTrustingLoop):
    """invented: a timer cancelled after it fired still counts, and a live one is dropped for it. Breaks
    HEAP-05."""

    def _timer_handle_cancelled(self, handle: Any) -> None:  # noqa: ARG002 - not asking is the fault
        self._timer_cancelled_count += 1


@HEAP_FAULTS.plant
class WakesForCancelled(SteppedLoop):
    """invented: cancelled timers are left to come due, and the loop wakes for each. Breaks HEAP-06."""

    def _sweep(self) -> None:
        pass

    def _timer_handle_cancelled(self, handle: Any) -> None:
        pass


@HEAP_FAULTS.plant
class QuadraticCancel(SteppedLoop):
    """invented: each cancel() searches the heap and builds it again. Breaks HEAP-07."""

    def _timer_handle_cancelled(self, handle: Any) -> None:
        if handle._scheduled:
            handle._scheduled = False
            self._scheduled.remove(handle)
            heapq.heapify(self._scheduled)
