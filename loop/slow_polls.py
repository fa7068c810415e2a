"""Debug mode's look at the selector: a wait that ends long after it should is logged.

The documentation promises it of debug mode; CPython's loop no longer does it. It tells of a selector that
sleeps on, of a machine that was suspended, or is so busy that nobody's timers are kept.

Source: https://docs.python.org/3/library/asyncio-dev.html#debug-mode
"""

from __future__ import annotations

from asyncio.log import logger
from collections.abc import Callable

from .core import Core


class SlowPolls(Core):
    """A loop that times its polls in debug mode, and runs the core's own otherwise."""

    _polls_are_timed = False

    def set_debug(self, enabled: bool) -> None:
        """As ``Core.set_debug``; polls are timed from the next turn on."""
        super().set_debug(enabled)
        self._time_polls(enabled and not self._closed)

    def close(self) -> None:
        """As ``Core.close``; the timed poll, which leads back to the loop, is given up."""
        super().close()
        self._time_polls(False)

    def _time_polls(self, wanted: bool) -> None:
        # Not by way of __dict__: once that was asked for, CPython stores attributes in a slower way.
        if self._polls_are_timed == wanted:
            return
        self._polls_are_timed = wanted
        if wanted:
            self._poll = _timed(self, self._poll)  # type: ignore[method-assign]
        else:
            del self._poll


def _timed(loop: Core, poll: Callable[[], None]) -> Callable[[], None]:
    def timed_poll() -> None:
        started = loop.time()
        if loop._ready or loop._stopping:
            due: float | None = started
        else:
            due = loop._timers.next_deadline()
        poll()
        ended = loop.time()
        # A wait with no deadline ends with an event, whenever that comes; one with an event ends early.
        if due is not None and ended - max(due, started) >= loop.slow_callback_duration:
            logger.info(
                "poll %.3f ms took %.3f ms: %d callbacks are ready",
                max(due - started, 0.0) * 1e3,
                (ended - started) * 1e3,
                len(loop._ready),
            )

    return timed_poll
