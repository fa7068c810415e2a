"""``add_reader`` and its siblings.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#watching-file-descriptors
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from .core import Core
from .handles import Callback, Handle, TracedHandle, Ts
from .readiness import fileno


class Files(Core):
    """Callbacks for file descriptors that become ready."""

    def add_reader(self, fd: Any, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call ``callback(*args)`` whenever ``fd`` (an int, or an object with ``fileno()``) can be read.

        Replaces and cancels the former reader. ValueError if ``fd`` is no open file, RuntimeError if it
        belongs to a transport or the loop is closed, OSError if the selector refuses it.
        """
        self._watch("add_reader", fd, EVENT_READ, callback, args)

    def remove_reader(self, fd: Any) -> bool:
        """Stop watching ``fd`` for reading; returns whether it was watched. Errors as ``add_reader``."""
        return self._unwatch(fd, EVENT_READ)

    def add_writer(self, fd: Any, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written; otherwise as ``add_reader``."""
        self._watch("add_writer", fd, EVENT_WRITE, callback, args)

    def remove_writer(self, fd: Any) -> bool:
        """Stop watching ``fd`` for writing; returns whether it was watched. Errors as ``add_reader``."""
        return self._unwatch(fd, EVENT_WRITE)

    def _watch(self, method: str, fd: Any, events: int, callback: Callback, args: tuple[Any, ...]) -> None:
        if self._strict:
            self._examine(method, callback)
        number = fileno(fd)
        self._readiness.refuse_transport(number, fd)
        if self._debug:
            handle: Handle = TracedHandle(callback, args, self, None, sys._getframe(1).f_back)
        else:
            handle = Handle(callback, args, self)
        self._readiness.add(fd, number, events, handle)

    def _unwatch(self, fd: Any, events: int) -> bool:
        number = self._readiness.number_of(fd)
        self._readiness.refuse_transport(number, fd)
        return self._readiness.remove(number, events)
