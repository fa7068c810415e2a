"""gevent's hub: callbacks, timers and watchers run in the hub while the main greenlet waits.

Each driver has a hub of its own, in place of the thread's. Nothing is monkey-patched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gevent
from gevent.event import Event

from .driver import (
    ASYNCIO_ERRORS,
    CLOSING,
    CONTEXTS,
    EXCEPTIONS,
    AccountingDriver,
    DriverTimer,
    number_of,
    refuse_context,
)

_READ, _WRITE = 1, 2
_GOES_ON = "a hub has no batches that a stop lets finish: it goes on until the main greenlet's turn comes"
_ANY_ORDER = "libev calls timers that it finds due together in an order of its own, by a clock that it keeps"


class GeventLoop(AccountingDriver):
    """The hub as the suite wants it."""

    _world = "the hub"
    settling_s = 0.001
    not_offered: ClassVar[Mapping[str, str]] = {
        "EXC-01": EXCEPTIONS,
        "EXC-02": EXCEPTIONS,
        "ORD-11": CONTEXTS,
        "ORD-02": _GOES_ON,
        "TMR-02": _ANY_ORDER,
        "TMR-03": _ANY_ORDER,
        "HEAP-03": _ANY_ORDER,
        "LIF-02": _GOES_ON,
        "LIF-04": CLOSING,
        "LIF-05": CLOSING,
        "LIF-06": ASYNCIO_ERRORS,
        "LIF-08": "a hub is used after fork() only once gevent.reinit() was called",
        "THR-04": "a hub that was destroyed is not to be used",
    }

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._stopped = Event()
        self._watchers: dict[tuple[int, int], Any] = {}
        self._timers: set[Any] = set()

    # -- running -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._stopped.clear()
        # The hub may go on for ever: without a watcher, it would give up the main greenlet's wait.
        alive = self._loop.timer(3600)
        alive.start(_nothing)
        try:
            self._stopped.wait()
        finally:
            alive.stop()
            alive.close()

    def stop(self) -> None:
        if not self._running:
            raise NotImplementedError("what waits for the hub can be told to go on, once it waits")
        self._stopped.set()

    def _release(self) -> None:
        for watcher in (*self._watchers.values(), *self._timers):
            watcher.stop()
            watcher.close()
        self._hub.destroy(destroy_loop=True)

    # -- callbacks ---------------------------------------------------------------------------------------

    def time(self) -> float:
        """The hub only knows delays; deadlines are reckoned by the clock of Python."""
        return time.monotonic()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        return DriverTimer(self.time(), self._loop.run_callback(callback, *args).stop, self)

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        return DriverTimer(self.time(), self._loop.run_callback_threadsafe(callback, *args).stop, self)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        refuse_context(context)
        when = self.time() + delay
        timer = self._loop.timer(delay)
        self._timers.add(timer)

        def end() -> None:
            if timer in self._timers:
                self._timers.discard(timer)
                timer.stop()
                timer.close()

        def fire(*fired: Any) -> None:
            end()
            callback(*fired)

        timer.start(fire, *args)
        return DriverTimer(when, end, self)

    # -- files -------------------------------------------------------------------------------------------

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._watch(fd, _READ, callback, args)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._watch(fd, _WRITE, callback, args)

    def remove_reader(self, fd: Any) -> bool:
        return self._unwatch(fd, _READ)

    def remove_writer(self, fd: Any) -> bool:
        return self._unwatch(fd, _WRITE)

    def _watch(self, fd: Any, event: int, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._unwatch(fd, event)
        number = number_of(fd)
        watcher = self._watchers[number, event] = self._loop.io(number, event)
        watcher.start(callback, *args)

    def _unwatch(self, fd: Any, event: int) -> bool:
        watcher = self._watchers.pop((number_of(fd), event), None)
        if watcher is None:
            return False
        watcher.stop()
        watcher.close()
        return True


def _nothing() -> None:
    """Keeps the hub waiting."""
