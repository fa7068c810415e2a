"""trio: one run in guest mode, so that what is scheduled outlives a stop, and can be there before a start.

The host is a queue: ``run_forever`` calls what trio puts into it, until ``stop``. Callbacks go through the
run's token, timers and watched files are tasks of a nursery.
"""

from __future__ import annotations

import queue
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

import trio

from .driver import (
    ASYNCIO_ERRORS,
    CLOSING,
    CONTEXTS,
    EXCEPTIONS,
    AccountingDriver,
    DriverHandle,
    DriverTimer,
    number_of,
    refuse_context,
)

_RANDOM = "trio runs the tasks of one batch in an order that it makes up anew each time, on purpose"


class TrioLoop(AccountingDriver):
    """A trio run as the suite wants it."""

    _world = "the trio run"
    settling_s = 0.001
    not_offered: ClassVar[Mapping[str, str]] = {
        "EXC-*": EXCEPTIONS,
        "ORD-11": CONTEXTS,
        "ORD-05": _RANDOM,
        "ORD-06": _RANDOM,
        "ORD-07": _RANDOM,
        "TMR-02": _RANDOM,
        "TMR-03": _RANDOM,
        "HEAP-01": "cancelled deadlines leave trio's heap by the thousand, with more weight than asyncio's",
        "HEAP-03": _RANDOM,
        "HEAP-04": "a cancelled task lets go of what it holds when it is resumed, not at once",
        "LIF-04": CLOSING,
        "LIF-05": CLOSING,
        "LIF-06": ASYNCIO_ERRORS,
        "LIF-07": EXCEPTIONS,
        "LIF-08": "a trio run must not be gone on with in a forked child",
    }

    def __init__(self) -> None:
        self._todo: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._watched: dict[tuple[int, str], Any] = {}
        self._stopping = False
        self._nursery: Any = None
        self._token: Any = None
        self._clock: Any = None
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._todo.put,
            done_callback=self._ended,
            host_uses_signal_set_wakeup_fd=True,
        )
        while self._nursery is None:
            self._todo.get()()

    async def _main(self) -> None:
        async with trio.open_nursery() as nursery:
            self._token, self._clock = trio.lowlevel.current_trio_token(), trio.lowlevel.current_clock()
            self._nursery = nursery
            await trio.sleep_forever()

    def _ended(self, outcome: Any) -> None:
        self._nursery = None
        outcome.unwrap()  # the host must not wait for a run that an error has ended

    # -- running -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._todo.get()()
        finally:
            self._stopping = False

    def stop(self) -> None:
        if not self._running:
            raise NotImplementedError("what waits for the run can be told to go on, once it waits")
        self._stopping = True

    def _release(self) -> None:
        self._token.run_sync_soon(self._nursery.cancel_scope.cancel)
        while self._nursery is not None:
            self._todo.get()()

    # -- callbacks ---------------------------------------------------------------------------------------

    def time(self) -> float:
        return float(self._clock.current_time())

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        self._token.run_sync_soon(_guarded(callback), *args)
        return DriverHandle(self)

    call_soon_threadsafe: Any = call_soon

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        trio.CancelScope(deadline=when)  # trio refuses here what its timers would end the run for

        async def fire() -> None:
            await trio.sleep_until(when)
            await trio.lowlevel.checkpoint_if_cancelled()
            _guarded(callback)(*args)

        return DriverTimer(when, self._spawn(fire).cancel, self)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    # -- files -------------------------------------------------------------------------------------------

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._watch(fd, trio.lowlevel.wait_readable, callback, args)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._watch(fd, trio.lowlevel.wait_writable, callback, args)

    def remove_reader(self, fd: Any) -> bool:
        return self._unwatch(fd, trio.lowlevel.wait_readable)

    def remove_writer(self, fd: Any) -> bool:
        return self._unwatch(fd, trio.lowlevel.wait_writable)

    def _watch(self, fd: Any, wait: Any, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._unwatch(fd, wait)
        number = number_of(fd)

        async def watch() -> None:
            while True:
                await trio.lowlevel.checkpoint_if_cancelled()  # while a successor may wait for it already
                await wait(number)
                await trio.lowlevel.checkpoint_if_cancelled()
                _guarded(callback)(*args)

        self._watched[number, wait.__name__] = self._spawn(watch)

    def _unwatch(self, fd: Any, wait: Any) -> bool:
        number = number_of(fd)
        scope = self._watched.pop((number, wait.__name__), None)
        if scope is not None:
            scope.cancel()
        return scope is not None

    def _spawn(self, steps: Callable[[], Awaitable[None]]) -> Any:
        """Start a task; the scope that cancels it."""
        scope = trio.CancelScope()

        async def task() -> None:
            with scope:
                try:
                    await steps()
                except Exception:  # a file that is gone or cannot be waited for
                    traceback.print_exc()

        self._nursery.start_soon(task)
        return scope


def _guarded(callback: Callable[..., object]) -> Callable[..., None]:
    """An exception in a callback would end the whole trio run, as it should; here it is printed."""

    def call(*args: Any) -> None:
        try:
            callback(*args)
        except BaseException:
            traceback.print_exc()

    return call
