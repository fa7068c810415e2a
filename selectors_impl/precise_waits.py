"""Waits that end when they should, though mechanisms count milliseconds and kernels take their time.

- epoll_wait(2) and poll(2) take whole milliseconds; rounded up, a wait ends half of one late on average.
- Linux ends every wait late on purpose, by the thread's timer slack (PR_SET_TIMERSLACK in prctl(2): 50 us)
  or by a thousandth of the wait, whichever is more: a second ends up to 1 ms late.
- A wait in nanoseconds (epoll_pwait2(2), ppoll(2)) goes through ctypes, which costs some microseconds.

So the library's own call waits first, for less than was asked even when it is late: if an event comes, as it
mostly does, all is as it would be without this module. The rest is waited for in nanoseconds, aimed
early by what the last ones took to end, and repeated until the clock has reached the end, the last moment
without sleeping. A wait is never short, and at rest some 30 us late instead of 600.

On a busy machine every sleep ends late, by what the others take. So a short wait sleeps once: the library's
call only looks.
"""

from __future__ import annotations

import errno
import math
import sys
from collections.abc import Callable
from time import monotonic

Batch = list[tuple[int, int]]

# So much shorter is the first wait that it ends in time after it was rounded up to a millisecond and the
# kernel took a thousandth more.
FIRST_SHARE = 0.998
FIRST_MARGIN_S = 0.0012

# A first wait of less does not sleep. (1.5 and 2.5 ms end 40 us late instead of 55; with both processors
# loaded, nine in ten within 1.3 ms instead of 2.4. From 6 ms on it wins nothing.)
SHORT_S = 0.004

# Linux ends a wait late by up to this share of it, if that is more than the slack.
EARLY_SHARE = 0.001

# When so little is left, one more sleep would end late by more than that: so the rest is spent looking.
# (Waits of 0.5, 10 and 100 ms end 6, 38 and 59 us late instead of 72, 76 and 90, for no more CPU time.)
LOOK_S = 80e-6

# A call through PyPy's ctypes costs a millisecond of CPU until it is compiled, and 60 us from then on: more
# than the sleep that it makes exact.
_CTYPES_IS_QUICK = sys.implementation.name != "pypy"

# What a kernel, an emulator or a filter of system calls answers to a call that it does not know.
_REFUSALS = frozenset({errno.ENOSYS, errno.EPERM})


class Aim:
    """How many seconds to ask for, from how late one selector's waits have ended: fewer than are left.

    How late depends on more than the slack: a processor wakes up in 10 us where others keep it busy, and
    a virtual machine in 200 when it has slept for long.
    """

    __slots__ = ("early",)

    _STEP_S = 10e-6
    _LEAST_S, _MOST_S = 50e-6, 400e-6
    _MARGIN_S = 30e-6

    def __init__(self) -> None:
        self.early = 150e-6
        """How many seconds before the end a wait shall end, for the kernel to end it in time."""

    def at(self, rest: float) -> float:
        """The seconds to ask for when *rest* are left."""
        if rest < LOOK_S:
            return 0.0
        return max(rest - rest * EARLY_SHARE - self.early, rest / 2)

    def learn(self, asked: float, took: float) -> None:
        """That a wait for *asked* seconds ended without an event after *took*."""
        if not asked:
            return
        # Step by step towards the median, so that a wait that ended a millisecond late, because others had
        # the processor, counts no more than one of 11 us.
        late = took - asked * (1 + EARLY_SHARE)
        step = self._STEP_S if late > self.early - self._MARGIN_S else -self._STEP_S
        self.early = min(max(self.early + step, self._LEAST_S), self._MOST_S)


class PreciseWait:
    """The second part of one selector's waits.

    Two calls are handed in with each use. *fine* waits for a number of seconds and tells whether something is
    ready; *native* does so too, in milliseconds at best, and returns what is ready.
    """

    __slots__ = ("_aim", "is_fine", "margin", "share", "short")

    def __init__(self) -> None:
        self._aim = Aim()
        # The backends work out the first wait themselves, for a call would take longer than the sum:
        # `t * share - margin` seconds of t, but none if that is less than `short`.
        self.share, self.margin, self.short = FIRST_SHARE, FIRST_MARGIN_S, SHORT_S
        self.is_fine = True
        if not _CTYPES_IS_QUICK:
            self._give_up()

    def resolution(self, fine: Callable[[float], bool]) -> float:
        """The finest wait, in seconds: of the fine call where it works, else of the native one."""
        if self.is_fine:
            try:
                fine(0.0)
            except OSError as error:
                self._note(error)
        return 1e-9 if self.is_fine else 1e-3

    def finish(self, end: float, fine: Callable[[float], bool], native: Callable[[float], Batch]) -> Batch:
        """Wait until *end* on the clock of ``time.monotonic``, or until something is ready, and return that.

        A fine call that fails only leaves it to the native one, whose OSError is raised.
        """
        rest = end - monotonic()
        while rest > 0:
            wait_s = math.ceil(rest * 1e3) / 1e3  # PyPy would cut off what is less
            if self.is_fine:
                try:
                    asked = self._aim.at(rest)
                    if not fine(asked):
                        left = end - monotonic()
                        self._aim.learn(asked, rest - left)
                        rest = left
                        continue
                    wait_s = 0.0
                except OSError as error:
                    self._note(error)
            batch = native(wait_s)
            if batch:
                return batch
            rest = end - monotonic()
        return []

    def _note(self, error: OSError) -> None:
        if error.errno in _REFUSALS:
            self._give_up()

    def _give_up(self) -> None:
        """Have the native call wait for all of the time from now on."""
        self.is_fine = False
        self.share, self.margin, self.short = 1.0, 0.0, 0.0
