"""Timers of gevent in the loop's timer heap: equal deadlines fire in the order they were armed.

libev counts a deadline from its own idea of the time, which is as old as the turn of the loop, so that a
timer may fire early by as much; gevent's ``update`` asks it to look at the clock first. Here every deadline
counts from the moment it is armed, whatever ``update`` says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from ...loop.handles import TimerHandle
from .watchers import FIRED, Watcher

if TYPE_CHECKING:
    from .loop import Loop

_NO_CONTEXT = Context()  # each greenlet has one of its own


class Timer(Watcher):
    """Fires ``after`` seconds after its start, and then every ``repeat`` seconds unless that is 0."""

    __slots__ = ("_after", "_handle", "_repeat", "at")

    def __init__(
        self,
        loop: Loop,
        after: float = 0.0,
        repeat: float = 0.0,
        ref: bool = True,
        priority: int | None = None,
    ) -> None:
        if repeat < 0:
            raise ValueError(f"a timer repeats after zero or more seconds, got {repeat!r}")
        super().__init__(loop, ref, priority)
        self._after = after
        self._repeat = repeat
        self._handle: TimerHandle | None = None
        self.at = 0.0
        """When it fires, or fired last, in seconds of the loop's ``now()``."""

    def start(self, callback: Callable[..., object], *args: Any, update: bool | None = None) -> None:  # noqa: ARG002
        """Fire in ``after`` seconds, never earlier. ValueError if those are NaN."""
        super().start(callback, *args)

    def again(self, callback: Callable[..., object], *args: Any, update: bool | None = None) -> None:  # noqa: ARG002
        """Fire in ``repeat`` seconds, counted anew if the timer runs; without a ``repeat``, stop."""
        if not self._repeat:
            self.stop()
            return
        self.stop()
        after, self._after = self._after, self._repeat
        try:
            super().start(callback, *args)
        finally:
            self._after = after

    def _arm(self) -> None:
        self._schedule(monotonic() + self._after)

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self, when: float) -> None:
        # A handle asks its loop for no more than the heap.
        handle = TimerHandle(when, self._expire, (), cast(Any, self.loop), _NO_CONTEXT)
        self.loop._timers.push(handle)
        self._handle = handle
        self.at = when

    def _expire(self) -> None:
        if self._repeat:
            self._schedule(max(self.at + self._repeat, monotonic()))
        else:
            self._handle = None
            self._deactivate()
        self.loop._feed(self, FIRED)

    def _format(self) -> str:
        return f" after={self._after} repeat={self._repeat}"
