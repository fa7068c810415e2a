"""Watching a path by looking at it again and again: no system call of the standard library does better."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .timers import Timer
from .watchers import FIRED, Watcher

if TYPE_CHECKING:
    from .loop import Loop

# libev's own: what it takes for an interval of 0, and the least that it takes.
_DEFAULT_INTERVAL_S = 5.0074891
_LEAST_INTERVAL_S = 0.1074891

_COMPARED = (
    *("st_dev", "st_ino", "st_mode", "st_nlink", "st_uid", "st_gid"),
    *("st_size", "st_atime_ns", "st_mtime_ns", "st_ctime_ns"),
)


class Stat(Watcher):
    """Fires when what lstat(2) says of a path has changed, it being there among that.

    The path is looked at every ``interval`` seconds, in the loop's thread. 0 means some five seconds; less
    than a tenth of one is raised to that when the watcher starts.
    """

    __slots__ = ("_paths", "_timer", "attr", "interval", "path", "prev")

    def __init__(
        self,
        loop: Loop,
        path: str | bytes,
        interval: float = 0.0,
        ref: bool = True,
        priority: int | None = None,
    ) -> None:
        super().__init__(loop, ref, priority)
        self.path = path
        self._paths = os.fsencode(path)
        self.interval = interval
        self.attr: os.stat_result | None = None
        """What was seen last; None if there was nothing."""
        self.prev: os.stat_result | None = None
        """What was seen before the last change."""
        self._timer: Timer | None = None

    def _arm(self) -> None:
        self.interval = max(self.interval, _LEAST_INTERVAL_S) if self.interval else _DEFAULT_INTERVAL_S
        self.attr = self.prev = self._look()
        self._timer = Timer(self.loop, self.interval, self.interval, ref=False)
        self._timer.start(self._compare)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _look(self) -> os.stat_result | None:
        try:
            return os.lstat(self._paths)
        except OSError:
            return None

    def _compare(self) -> None:
        found = self._look()
        if _facts(found) != _facts(self.attr):
            self.prev, self.attr = self.attr, found
            self.loop._feed(self, FIRED)

    def _format(self) -> str:
        return f" path={self.path!r}"


def _facts(status: os.stat_result | None) -> tuple[int, ...] | None:
    return None if status is None else tuple(getattr(status, name) for name in _COMPARED)
