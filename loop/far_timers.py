"""Timers that are not due for a while, by the span of time they are due in, each in the order of arming.

An entry of the timer heap takes 112 bytes besides the handle; one here takes some ten, and costs no
comparison. Only the next minutes are kept by the second: a span has costs of its own.
(100,000 timers of an hour and more: 339 to 239 bytes each)

Moving a span on takes about as long as running what is due in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from .handles import TimerHandle

_EVER = float("inf")
# Spans of later times cannot be told apart in floats: they are one, which has no end. (9 million years)
_LATEST_TOLD_APART = 2**48


class Spans:
    """Spans of ``width`` seconds (an int: deadlines may be of any kind of number)."""

    __slots__ = ("_handles", "_numbers", "size", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.size = 0  # cancelled handles included
        self._handles: dict[float, list[TimerHandle]] = {}
        self._numbers: list[float] = []  # a heap

    def __iter__(self) -> Iterator[TimerHandle]:
        for handles in self._handles.values():
            yield from handles

    def number_of(self, when: float) -> float:
        """Which span holds ``when``."""
        return when // self.width if when < _LATEST_TOLD_APART else _EVER

    def end_of(self, when: float) -> float:
        """Where the span of ``when`` ends: the first time that is not in it."""
        return (self.number_of(when) + 1) * self.width

    def add(self, handle: TimerHandle) -> None:
        """Keep a handle."""
        number = self.number_of(handle._when)
        handles = self._handles.get(number)
        if handles is None:
            self._handles[number] = [handle]
            heappush(self._numbers, number)
        else:
            handles.append(handle)
        self.size += 1

    def take_earliest(self) -> tuple[float, list[TimerHandle]]:
        """Remove the first span: where it ends, and its handles."""
        number = heappop(self._numbers)
        handles = self._handles.pop(number)
        self.size -= len(handles)
        return (number + 1) * self.width, handles

    def drop_cancelled(self) -> None:
        """Remove the cancelled handles, and spans without any other."""
        for number, handles in list(self._handles.items()):
            live = [handle for handle in handles if handle._callback is not None]
            self.size += len(live) - len(handles)
            if live:
                self._handles[number] = live
            else:
                del self._handles[number]
        self._numbers = sorted(self._handles)  # is a heap


class FarTimers:
    """All far timers: by the second up to a border, by some minutes behind it."""

    __slots__ = ("_border", "_later", "_soon")

    def __init__(self) -> None:
        self._soon = Spans(1)
        self._later = Spans(256)
        self._border = -_EVER

    def __len__(self) -> int:
        return self._soon.size + self._later.size

    def __iter__(self) -> Iterator[TimerHandle]:
        yield from self._soon
        yield from self._later

    def end_of_span(self, when: float) -> float:
        """Where the second of ``when`` ends."""
        return self._soon.end_of(when)

    def add(self, handle: TimerHandle) -> None:
        """Keep a handle."""
        if handle._when < self._border:
            self._soon.add(handle)
        else:
            self._later.add(handle)

    def take_earliest(self) -> tuple[float, list[TimerHandle]]:
        """Remove the first second: where it ends, and its handles in the order of arming."""
        if not self._soon.size:
            self._border, handles = self._later.take_earliest()
            for handle in handles:
                self._soon.add(handle)
        return self._soon.take_earliest()

    def drop_cancelled(self) -> int:
        """Remove the cancelled handles; how many there were."""
        before = len(self)
        self._soon.drop_cancelled()
        self._later.drop_cancelled()
        return before - len(self)
