"""Loops that do wrong in ways that only a soak shows, to show that it does."""

from __future__ import annotations

import os
import threading
from typing import Any

from muxloop import EventLoop


class LeaksObjects(EventLoop):
    """Keeps a thousand objects for every time limit: one activity is enough to see it."""

    def __init__(self, selector: Any) -> None:
        super().__init__(selector)
        self._kept: list[Any] = []

    def call_at(self, when: float, *args: Any, **kwargs: Any) -> Any:
        if when > self.time() + 1:
            self._kept.extend([] for _ in range(1000))
        return super().call_at(when, *args, **kwargs)


class LosesWakeups(EventLoop):
    """One in 200 callbacks from other threads is never called."""

    _calls = 0

    def call_soon_threadsafe(self, callback: Any, *args: Any, **kwargs: Any) -> Any:
        self._calls += 1
        if self._calls % 200 == 0:
            callback, args = int, ()
        return super().call_soon_threadsafe(callback, *args, **kwargs)


class LeaksDescriptors(EventLoop):
    """Holds on to a duplicate of whatever it watched."""

    def remove_reader(self, fd: Any) -> bool:
        os.dup(0)
        return super().remove_reader(fd)


class NeverRests(EventLoop):
    """Watches, once it has watched anything, a file that is always ready."""

    _watched = None

    def remove_reader(self, fd: Any) -> bool:
        if self._watched is None:
            self._watched = os.open(os.devnull, os.O_RDONLY)
            self.add_reader(self._watched, int)
        return super().remove_reader(fd)


class Stops(EventLoop):
    """Waits for ever inside a call."""

    def remove_reader(self, fd: Any) -> bool:  # noqa: ARG002 - the interface's name
        threading.Event().wait()
        return False


class Dies(EventLoop):
    """Takes the process with it."""

    def remove_reader(self, fd: Any) -> bool:  # noqa: ARG002 - the interface's name
        os.abort()
