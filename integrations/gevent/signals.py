"""Signals that come to watchers.

The interpreter calls our handler in the main thread, between two bytecodes; it marks the watchers and wakes
the loop. Unlike libev's, which Python knows nothing of, the handler is one of Python's: so the watchers of a
signal are started in the main thread, and the last to stop gives the signal back to who had it before.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from .process import original
from .watchers import Watcher

if TYPE_CHECKING:
    from .loop import Loop


class Signals:
    """Which watcher waits for which signal, in one loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._watchers: dict[int, list[Signal]] = {}
        self._former: dict[int, Any] = {}

    def enter(self, watcher: Signal) -> None:
        """Handle the signal, if it is not handled yet. RuntimeError where Python does not let us."""
        signum = watcher.signum
        if signum not in self._former:
            # Before the disposition changes: a signal that comes in between finds its watcher.
            self._watchers[signum] = [watcher]
            try:
                self._former[signum] = original("signal", "signal")(signum, self._arrived)
            except (OSError, ValueError) as error:
                del self._watchers[signum]
                raise RuntimeError(
                    f"signal {signum} cannot be watched here ({error}): start its watcher in the main thread"
                ) from None
        else:
            self._watchers[signum].append(watcher)

    def leave(self, watcher: Signal) -> None:
        """Give the signal back with its last watcher."""
        watchers = self._watchers.get(watcher.signum, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                self._give_back(watcher.signum)

    def close(self) -> None:
        """Give back every signal."""
        for signum in list(self._former):
            for watcher in self._watchers[signum]:
                watcher.active = False
            self._give_back(signum)

    def _give_back(self, signum: int) -> None:
        del self._watchers[signum]
        former = self._former.pop(signum)
        # Whoever put another handler in our place meanwhile keeps it.
        if original("signal", "getsignal")(signum) == self._arrived:
            with suppress(ValueError):  # stopped in another thread: our handler, without watchers, is none
                original("signal", "signal")(signum, signal.SIG_DFL if former is None else former)

    def _arrived(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        for watcher in self._watchers.get(signum, ()):
            self._loop._send(watcher)


class Signal(Watcher):
    """Fires when the process gets the signal. ValueError if there is none of that number."""

    __slots__ = ("sent", "signum")

    def __init__(self, loop: Loop, signum: int, ref: bool = True, priority: int | None = None) -> None:
        if signum not in signal.valid_signals():
            raise ValueError(f"there is no signal {signum!r}")
        super().__init__(loop, ref, priority)
        self.signum = signum
        self.sent = False

    def _arm(self) -> None:
        self.loop._signals.enter(self)

    def _disarm(self) -> None:
        self.loop._signals.leave(self)

    def _format(self) -> str:
        return f" signum={int(self.signum)}"
