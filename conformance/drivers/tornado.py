"""Tornado's IOLoop interface: its own loop, on asyncio's, or any object that offers it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tornado.ioloop import IOLoop

from .driver import (
    ASYNCIO_ERRORS,
    CONTEXTS,
    EXCEPTIONS,
    AccountingDriver,
    DriverHandle,
    DriverTimer,
    refuse_context,
)


class TornadoLoop(AccountingDriver):
    """An IOLoop as the suite wants it; a fresh one of Tornado's own unless one is given.

    With a selector, Tornado runs on CPython's loop on that selector.
    """

    _world = "the IOLoop"
    not_offered: ClassVar[Mapping[str, str]] = {
        "EXC-01": EXCEPTIONS,
        "EXC-02": EXCEPTIONS,
        "ORD-11": CONTEXTS,
        "THR-04": "IOLoop.add_callback on a closed loop is documented to be swallowed",
        "LIF-04": "IOLoop.close is documented for a loop that was stopped, once",
        "LIF-06": ASYNCIO_ERRORS,
    }

    def __init__(self, selector: selectors.BaseSelector | None = None, io_loop: Any = None) -> None:
        inner = asyncio.SelectorEventLoop(selector)
        self._loop = io_loop or IOLoop(make_current=False, asyncio_loop=inner)
        if io_loop:
            inner.close()
        self._watched: dict[int, dict[int, Callable[[], object]]] = {}

    # -- running -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def _release(self) -> None:
        self._loop.close()

    # -- callbacks ---------------------------------------------------------------------------------------

    def time(self) -> float:
        return float(self._loop.time())

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        self._loop.add_callback(callback, *args)
        return DriverHandle(self)

    call_soon_threadsafe: Any = call_soon

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        timeout = self._loop.call_at(when, callback, *args)
        return DriverTimer(when, lambda: self._loop.remove_timeout(timeout), self)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    # -- files -------------------------------------------------------------------------------------------

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._watch(fd, IOLoop.READ, lambda: callback(*args))

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._watch(fd, IOLoop.WRITE, lambda: callback(*args))

    def remove_reader(self, fd: Any) -> bool:
        return self._unwatch(fd, IOLoop.READ)

    def remove_writer(self, fd: Any) -> bool:
        return self._unwatch(fd, IOLoop.WRITE)

    def _watch(self, fd: Any, event: int, callback: Callable[[], object]) -> None:
        """An IOLoop has one handler per file, for both directions."""
        number = self._loop.split_fd(fd)[0]
        watched = self._watched.setdefault(number, {})
        known = bool(watched)
        watched[event] = callback
        if known:
            self._loop.update_handler(number, _sum(watched))
        else:
            self._loop.add_handler(number, self._ready, event)

    def _unwatch(self, fd: Any, event: int) -> bool:
        number = self._loop.split_fd(fd)[0]
        watched = self._watched.get(number, {})
        if event not in watched:
            return False
        del watched[event]
        if watched:
            self._loop.update_handler(number, _sum(watched))
        else:
            self._loop.remove_handler(number)
        return True

    def _ready(self, number: int, events: int) -> None:
        for event in (IOLoop.READ, IOLoop.WRITE):
            # What the reader removes is not called any more.
            if events & event and event in (watched := self._watched.get(number, {})):
                watched[event]()


def _sum(events: Any) -> int:
    return sum(events)
