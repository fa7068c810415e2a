"""The one tolerance by which upper bounds of time are widened, on slow and on busy machines.

Lower bounds are never widened: no machine makes a timer fire early.
"""

from __future__ import annotations

import math
import os
import time

from ..errors import UsageError

VARIABLE = "MUXLOOP_TIME_SCALE"
_ORDINARY_LATENESS_S = 0.01
_ORDINARY_WORK_S = 0.02
_LIMIT = 20.0
_MOST_ASKED_FOR = 1000.0


def tolerance() -> float:
    """A factor from 1 (this machine is quick and idle) to 20, times MUXLOOP_TIME_SCALE where that is set.

    Raises UsageError when the variable is no positive number.
    """
    return measured() * _asked_for()


def measured() -> float:
    """How late short sleeps come back, and how long some work takes, beside an ordinary machine."""
    worst = 0.0
    for _ in range(20):
        start = time.perf_counter()
        time.sleep(0.002)
        worst = max(worst, time.perf_counter() - start - 0.002)
    start = time.perf_counter()
    sum(i * i for i in range(200_000))
    work = time.perf_counter() - start
    return min(_LIMIT, max(1.0, worst / _ORDINARY_LATENESS_S, work / _ORDINARY_WORK_S))


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
