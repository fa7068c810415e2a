"""The timer heap: which deadline is next, and which timers are due.

Near timers are entries ``(when, sequence, handle)`` of a heap: equal deadlines fire in the order they were
armed, and comparing entries never reaches a handle. What is due at ``_horizon`` or later is far
(``far_timers.py``); when the heap has run empty, the first span of far timers is poured into it. So the
heap is empty only if there is no timer at all, and its top is the earliest of all.

Cancelling is lazy: a cancelled timer stays, counted as dead, until it surfaces or until more than half are
dead and the dead are dropped. That happens inside the ``cancel()`` that tips the balance, so memory stays
bounded even if one callback arms and cancels a hundred thousand timers; it costs O(live + dead) after at
least as many cancellations, that is O(1) each.

Arming and cancelling may happen *during* any of this: a signal handler or a finaliser can run wherever
a Python function is entered, a loop jumps back or an object dies. So whoever changes more than one thing
holds the heap: what is armed meanwhile waits its turn in ``_late``, what is cancelled is only counted.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import count

from .far_timers import FarTimers
from .handles import Handle, TimerHandle

LATEST = sys.float_info.max
EARLIEST = -LATEST


class TimerHeap:
    """Armed timers, ordered by deadline, then by the order of arming."""

    __slots__ = ("_far", "_held", "_horizon", "_late", "_sequence", "dead", "heap")

    def __init__(self) -> None:
        # The list object never changes: the loop holds it.
        self.heap: list[tuple[float, int, TimerHandle]] = []
        self.dead = 0  # cancelled timers that are still carried; TimerHandle.cancel adds to it
        self._far = FarTimers()
        self._horizon = EARLIEST
        self._sequence = count()
        self._held = False
        self._late: deque[TimerHandle] = deque()

    def __len__(self) -> int:
        """How many timers are armed and not cancelled."""
        return len(self.heap) + len(self._far) + len(self._late) - self.dead

    def __iter__(self) -> Iterator[TimerHandle]:
        """The handles carried, in no order, cancelled ones included."""
        yield from [entry[2] for entry in self.heap]
        yield from self._far
        yield from self._late

    def push(self, handle: TimerHandle) -> None:
        """Arm a timer; one at infinity never fires. ValueError if its time is NaN or minus infinity.

        ``next`` and ``heappush`` are atomic, so a nested push takes a number of its own.
        """
        when = handle._when
        # False for NaN, with which the heap would lose its order. Programs do arm timers at infinity:
        # anyio's sleep_forever() is a sleep of that length.
        if not when >= EARLIEST:
            handle._scheduled = False
            raise ValueError(f"a timer needs a time, got {when!r}")
        if self._held:
            self._late.append(handle)
        elif when < self._horizon and self.heap:
            heappush(self.heap, (when, next(self._sequence), handle))
        else:
            self._held = True
            try:
                self._insert(handle)
            finally:
                self._release()

    def next_deadline(self) -> float | None:
        """When the earliest live timer is due; None if none ever is. Drops the dead on top."""
        heap = self.heap
        while heap:
            when, _, handle = heap[0]
            if handle._callback is not None:
                return when if when <= LATEST else None  # a clock cannot jump to infinity
            self._drop_dead_tops()
        return None

    def take_due(self, now: float, ready: deque[Handle | TimerHandle]) -> None:
        """Move the timers due at ``now`` to ``ready``, earliest first.

        ``when <= now`` decides, and nothing is added to either side: a resolution added to a large clock
        value vanishes in the float (gh-116342), and a strict comparison misses the exact hit (gh-127859).
        """
        heap = self.heap
        self._held = True
        try:
            while heap and heap[0][0] <= now:
                handle = heappop(heap)[2]
                handle._scheduled = False
                if handle._callback is None:
                    self.dead -= 1
                else:
                    ready.append(handle)
                if not heap and self._far:
                    self._pour()
        finally:
            self._release()

    def clear(self) -> None:
        """Forget every timer."""
        for handle in self:
            handle._scheduled = False
        self.heap.clear()
        self._far = FarTimers()
        self._late.clear()
        self.dead = 0

    def rebuild_if_worth(self) -> None:
        """Drop the dead if they are most of what is carried."""
        heap = self.heap
        if self._held or self.dead * 2 <= len(heap) + len(self._far):
            return
        self._held = True
        try:
            live = [entry for entry in heap if entry[2]._callback is not None]
            dropped = len(heap) - len(live) + self._far.drop_cancelled()
            heapify(live)
            heap[:] = live
            self.dead -= dropped
            if not heap and self._far:
                self._pour()
        finally:
            self._release()

    # What follows is called by those who hold the heap.

    def _drop_dead_tops(self) -> None:
        heap = self.heap
        self._held = True
        try:
            while heap and heap[0][2]._callback is None:
                heappop(heap)[2]._scheduled = False
                self.dead -= 1
                if not heap and self._far:
                    self._pour()
        finally:
            self._release()

    def _insert(self, handle: TimerHandle) -> None:
        when = handle._when
        if not self.heap:  # then there is no far timer either
            self._horizon = self._far.end_of_span(when)
        elif when >= self._horizon:
            self._far.add(handle)
            return
        heappush(self.heap, (when, next(self._sequence), handle))

    def _pour(self) -> None:
        """Move the first span of far timers into the empty heap."""
        self._horizon, handles = self._far.take_earliest()
        entries = [(handle._when, next(self._sequence), handle) for handle in handles]
        entries.sort()  # is a heap
        self.heap[:] = entries

    def _release(self) -> None:
        """Let go of the heap, and arm what was armed meanwhile."""
        while True:
            while self._late:
                self._insert(self._late.popleft())
            self._held = False
            if not self._late:
                return
            self._held = True
