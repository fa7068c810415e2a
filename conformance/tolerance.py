"""The one tolerance by which upper bounds of time are widened, on slow and on busy machines.

Lower bounds are never widened: no machine makes a timer fire early.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass

from ..errors import UsageError

VARIABLE = "MUXLOOP_TIME_SCALE"
_ORDINARY_LATENESS_S = 0.01
_ORDINARY_WORK_S = 0.02
_LIMIT = 20.0
_MOST_ASKED_FOR = 1000.0


@dataclass(frozen=True)
class Calibration:
    """What this machine is like, beside an ordinary one that is quick and idle."""

    lateness_s: float
    """How late the latest of some short sleeps came back."""
    work_s: float
    """How long some work took."""
    asked_for: float = 1.0
    """MUXLOOP_TIME_SCALE."""

    @property
    def factor(self) -> float:
        """From 1 (this machine is quick and idle) to 20, times MUXLOOP_TIME_SCALE."""
        measured = max(1.0, self.lateness_s / _ORDINARY_LATENESS_S, self.work_s / _ORDINARY_WORK_S)
        return min(_LIMIT, measured) * self.asked_for

    def __str__(self) -> str:
        scaled = f"; {VARIABLE}={self.asked_for:g}" if self.asked_for != 1 else ""
        return (
            f"sleeps up to {self.lateness_s * 1000:.1f} ms late, "
            f"work in {self.work_s / _ORDINARY_WORK_S:.2f} of the ordinary time{scaled}"
        )


def tolerance() -> float:
    """The factor of a calibration now; UsageError when MUXLOOP_TIME_SCALE is no positive number."""
    return calibrate().factor


def calibrate() -> Calibration:
    """Measure for some 70 ms; UsageError when MUXLOOP_TIME_SCALE is no positive number."""
    worst = 0.0
    for _ in range(20):
        start = time.perf_counter()
        time.sleep(0.002)
        worst = max(worst, time.perf_counter() - start - 0.002)
    start = time.perf_counter()
    sum(i * i for i in range(200_000))
    return Calibration(worst, time.perf_counter() - start, _asked_for())


def _asked_for() -> float:
    text = os.environ.get(VARIABLE, "")
    if not text:
        return 1.0
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale <= _MOST_ASKED_FOR:
        raise UsageError(
            f"{VARIABLE}={text}: not a positive number up to {_MOST_ASKED_FOR:g}; "
            "unset it or give a factor such as 2"
        )
    return scale
