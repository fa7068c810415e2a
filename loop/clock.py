"""Time as an object: what the loop reads, and how it lets time pass.

The core asks a clock two things: ``time()``, and ``wait(select, deadline, …)``, which returns the
selector's events once something is ready or the deadline has come. A deadline is passed instead of
a timeout so that a clock which jumps can land on it exactly: ``now + (deadline - now)`` may fall
short of ``deadline`` in floats, and a timer would then never be due.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from selectors import SelectorKey
from typing import Protocol

Events = list[tuple[SelectorKey, int]]
Select = Callable[[float | None], Events]

# A selector's timeout is a C int of milliseconds or a time_t: waiting in slices of a day overflows neither.
LONGEST_WAIT_S = 24 * 3600.0


class Clock(Protocol):
    """What the loop needs from time."""

    def time(self) -> float:
        """Seconds on this clock; never goes back."""
        ...

    def wait(self, select: Select, deadline: float | None, *, outside_work: bool) -> Events:
        """Wait in ``select`` until something is ready or ``deadline`` has come (None: no limit).

        ``outside_work`` tells that executor jobs or subprocesses are running, whose end nobody can foresee.
        May return early with no events; the loop asks again.
        """
        ...


class MonotonicClock:
    """Real time: ``time.monotonic``."""

    def time(self) -> float:
        """Seconds, as ``time.monotonic()`` counts them."""
        return time.monotonic()

    def wait(self, select: Select, deadline: float | None, *, outside_work: bool) -> Events:  # noqa: ARG002
        """Wait in the selector for as long as it takes; see ``Clock.wait``."""
        if deadline is None:
            return select(None)
        return select(min(max(deadline - time.monotonic(), 0.0), LONGEST_WAIT_S))


class VirtualClock:
    """Time that passes only when the loop has nothing to do: it then jumps to the next deadline.

    A program that sleeps for a day takes milliseconds, and every run sees the same times.

    The holes: only the loop's own timers are known. Bytes on their way from another process, and threads
    that the loop did not start, take real time while the clock jumps past them. While jobs of
    ``run_in_executor`` are running (name look-ups among them), or subprocesses of the loop, whoever waits
    for them, the clock keeps real time, so that a timeout around one means what it says. With no timer
    armed, the loop waits in real time.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = check_time(start, "start")

    def __repr__(self) -> str:
        return f"<VirtualClock at {self._now}>"

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once. ValueError if negative, NaN or infinite."""
        if check_time(seconds, "seconds") < 0:
            raise ValueError(f"VirtualClock.advance({seconds!r}): time does not go back")
        self._now += seconds

    def wait(self, select: Select, deadline: float | None, *, outside_work: bool) -> Events:
        """Poll, and jump to ``deadline`` if nothing is ready; see ``Clock.wait``."""
        if deadline is None:
            return select(None)
        if not outside_work:
            events = select(0)
            if not events:
                self._now = max(self._now, deadline)
            return events
        started = time.monotonic()
        events = select(min(max(deadline - self._now, 0.0), LONGEST_WAIT_S))
        self._now = max(self._now, min(deadline, self._now + time.monotonic() - started))
        return events


def check_time(value: float, name: str) -> float:
    """``value``, if it is a finite number. ValueError if it is NaN or infinite, TypeError if no number."""
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number of seconds, got {value!r}")
    return value
