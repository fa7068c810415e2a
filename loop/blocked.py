"""Telling what blocks the loop, while it blocks.

``set_blocked_threshold`` puts a watched edition of the batch in the place of the core's, on this loop alone:
a loop that nobody watches runs the very instructions that it would run without this file.
"""

from __future__ import annotations

import asyncio
import math
import os
import selectors
import sys
from asyncio.log import logger
from collections.abc import Callable
from time import monotonic
from traceback import StackSummary

from ..errors import UsageError
from .clock import Clock
from .core import Core
from .watchdog import Action, Watchdog

VARIABLE = "MUXLOOP_BLOCKED_THRESHOLD"


class BlockedThreshold(Core):
    """``set_blocked_threshold``, and the environment variable that calls it."""

    _watchdog: Watchdog | None = None

    def __init__(self, selector: selectors.BaseSelector, clock: Clock | None = None) -> None:
        try:
            threshold = threshold_in_environment()
        except UsageError:
            selector.close()
            raise
        super().__init__(selector, clock)
        if threshold is not None:
            self.set_blocked_threshold(threshold)

    def set_blocked_threshold(self, seconds: float | None, action: Action | None = None) -> None:
        """Call ``action(loop, stack, blocked)`` when a turn of the loop has lasted ``seconds`` of real time.

        That is while it still lasts, in a thread of its own: ``stack`` is the ``traceback.StackSummary`` of
        what the loop's thread is doing, from the callback on, and ``blocked`` says for how many seconds by
        now. If the same turn goes on, it is called again after twice the time, four times, and so on. Without
        an action, a warning with the stack is logged by the logger ``asyncio``.

        None or 0 switches it off. Any thread may call this; it holds from the next turn on. TypeError if
        ``seconds`` is no number or ``action`` cannot be called, ValueError if ``seconds`` is negative,
        infinite or NaN, RuntimeError if the loop is closed.

        MUXLOOP_BLOCKED_THRESHOLD=seconds does it for every loop that is made, without an action.
        """
        self._check_closed()
        threshold = _checked(seconds)
        if action is not None and not callable(action):
            raise TypeError(f"set_blocked_threshold() needs a callable action or None, got {action!r}")
        self._end_watch()
        if threshold is not None:
            run_batch = type(self)._run_batch
            watchdog = Watchdog(self, threshold, action or log_blocked, Core._run_batch.__code__)
            watched = _watched(run_batch.__get__(self), watchdog)
            self._run_batch = watched  # type: ignore[method-assign, assignment]
            self._watchdog = watchdog

    def close(self) -> None:
        """As the rest of the loop's ``close``; the watching thread ends."""
        super().close()
        watchdog = self._end_watch()
        if watchdog is not None:
            watchdog.join()

    def _end_watch(self) -> Watchdog | None:
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            del self._run_batch
            watchdog.end()
        return watchdog


def _watched(run_batch: Callable[[int], None], watchdog: Watchdog) -> Callable[[int], None]:
    """``run_batch`` with an eye on it. (micro: 0.2 us a turn)"""

    def run_watched_batch(size: int) -> None:
        try:
            watchdog.since = monotonic()
            if watchdog.parked:
                watchdog.ring()
            run_batch(size)
        finally:
            watchdog.since = None

    return run_watched_batch


def log_blocked(loop: asyncio.AbstractEventLoop, stack: StackSummary, blocked: float) -> None:
    """What is done without an action: warn, with the stack and the task that runs."""
    task = asyncio.current_task(loop)
    culprit = "" if task is None else f" by {task!r}"
    lines = "".join(stack.format()).rstrip()
    # The loop in words: whoever keeps the record shall not keep the loop.
    logger.warning(
        "%s has been blocked for %.3f seconds%s (most recent call last):\n%s",
        repr(loop),
        blocked,
        culprit,
        lines,
    )


def threshold_in_environment() -> float | None:
    """The seconds in MUXLOOP_BLOCKED_THRESHOLD; None without it or for 0. UsageError for anything else."""
    text = "" if sys.flags.ignore_environment else os.environ.get(VARIABLE, "")
    try:
        return _checked(float(text)) if text else None
    except ValueError:
        raise UsageError(
            f"{VARIABLE}={text}: not a number of seconds; unset it, or give seconds such as 0.5 (0: off)"
        ) from None


def _checked(seconds: float | None) -> float | None:
    """The threshold in seconds, None for off."""
    if seconds is not None and not isinstance(seconds, int | float):
        raise TypeError(f"set_blocked_threshold() needs seconds or None, got {seconds!r}")
    if seconds is not None and not 0 <= seconds < math.inf:
        raise ValueError(f"set_blocked_threshold() needs a number of seconds from 0 on, got {seconds!r}")
    return float(seconds) if seconds else None
