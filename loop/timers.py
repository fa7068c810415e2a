"""The timer heap: which deadline is next, and which timers are due.

Entries are ``(when, sequence, handle)``: equal deadlines fire in the order they were armed, and
comparing entries never reaches a handle. Cancelling is lazy: the entry stays, counted as dead, until
it surfaces or until more than half of the heap is dead and the heap is rebuilt without them. The rebuild
happens inside the ``cancel()`` that tips the balance, so memory stays bounded even if one callback
arms and cancels a hundred thousand timers; it costs O(live + dead) after at least as many
cancellations, that is O(1) each.

Arming and cancelling may happen *during* any of this: a signal handler or a finaliser can run wherever
a Python function is entered, a loop jumps back or an object dies. Each method says why nothing is lost.
"""

from __future__ import annotations

import sys
from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count

from .handles import Handle, TimerHandle

LATEST = sys.float_info.max
EARLIEST = -LATEST


class TimerHeap:
    """Armed timers, ordered by deadline, then by the order of arming."""

    __slots__ = ("_held", "_sequence", "dead", "heap")

    def __init__(self) -> None:
        # The list object never changes: the loop holds it, and so may an interrupted call.
        self.heap: list[tuple[float, int, TimerHandle]] = []
        self.dead = 0  # cancelled timers that the heap still carries; TimerHandle.cancel adds to it
        self._sequence = count()
        self._held = False  # no rebuild now: somebody relies on the top staying what it is

    def __len__(self) -> int:
        """How many timers are armed and not cancelled."""
        return len(self.heap) - self.dead

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
        heappush(self.heap, (when, next(self._sequence), handle))

    def next_deadline(self) -> float | None:
        """When the earliest live timer is due; None if none ever is. Drops the dead on top."""
        heap = self.heap
        self._held = True
        try:
            while heap:
                when, _, handle = heap[0]
                if handle._callback is not None:
                    return when if when <= LATEST else None  # a clock cannot jump to infinity
                entry = heappop(heap)
                if entry[2] is handle:
                    handle._scheduled = False
                    self.dead -= 1
                else:  # a nested call armed an earlier one between the look and the pop
                    heappush(heap, entry)
            return None
        finally:
            self._held = False

    def take_due(self, now: float, ready: deque[Handle | TimerHandle]) -> None:
        """Move the timers due at ``now`` to ``ready``, earliest first.

        ``when <= now`` decides, and nothing is added to either side: a resolution added to a large clock
        value vanishes in the float (gh-116342), and a strict comparison misses the exact hit (gh-127859).
        A nested call may arm an earlier timer between look and pop: what is popped is then due as well.
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
        finally:
            self._held = False

    def clear(self) -> None:
        """Forget every timer."""
        for _, _, handle in self.heap:
            handle._scheduled = False
        self.heap.clear()
        self.dead = 0

    def rebuild_if_worth(self) -> None:
        """Drop the dead if they are most of the heap.

        Scanning calls no foreign code, but an interrupting one may arm or cancel meanwhile. Then the heap
        has grown or more are dead afterwards (nothing shrinks either while it is held), the new list is
        thrown away, and the next cancellation tries again. Between that comparison and the slice assignment
        nothing can interrupt; the assignment puts the list right before it drops the old entries,
        whose finalisers may come back here.
        """
        heap = self.heap
        if self._held or self.dead * 2 <= len(heap):
            return
        self._held = True
        try:
            before = (len(heap), self.dead)
            live = [entry for entry in heap if entry[2]._callback is not None]
            heapify(live)
            if before == (len(heap), self.dead):
                self.dead = 0
                heap[:] = live
        finally:
            self._held = False
