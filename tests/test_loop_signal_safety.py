"""``call_soon_threadsafe`` in a signal handler, whatever that interrupts: Tornado's add_callback_from_signal.

That it loses no wake-up is seen by a clock: it is asked to wait when the loop has nothing to do, and
whatever was queued before should have made the selector readable by then.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import FrameType

import muxloop
import pytest
from interruptions import at_every_place, interrupted
from loops_under_test import SELECTORS, new_loop, turn
from muxloop import EventLoop
from muxloop.loop.clock import Events, Select

FILES = {path.name for path in (Path(muxloop.__file__).parent / "loop").glob("*.py")}
FEWEST_DEAD_TO_REBUILD = 64

at_each_place = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="goes by CPython's instructions"
)


class FallsAsleepError(Exception):
    """The loop would wait now."""


class Sleepless:
    """A clock that ends the run instead of waiting, and notes that it did."""

    asleep = False

    def time(self) -> float:
        return time.monotonic()

    def wait(self, select: Select, deadline: float | None, *, outside_work: bool) -> Events:  # noqa: ARG002
        events = select(0)
        if not events:
            self.asleep = True
            raise FallsAsleepError
        return events


def run_until_asleep(loop: EventLoop) -> None:
    with suppress(FallsAsleepError):
        loop.run_forever()


class Handler:
    """What a signal handler does, once: it queues a callback. Afterwards: was that called in time?"""

    def __init__(self, loop: EventLoop, clock: Sleepless) -> None:
        self.loop = loop
        self.clock = clock
        self.seen: list[int] = []
        self.in_time = False  # queued before the loop fell asleep
        self.refused = False

    def __call__(self) -> None:
        self.in_time = not self.clock.asleep
        try:
            self.loop.call_soon_threadsafe(self.seen.append, 1)
        except RuntimeError as error:
            self.refused = str(error) == "Event loop is closed"
            if not self.refused:
                raise

    def check(self, happened: bool) -> bool:
        if happened and self.in_time:
            assert self.seen == [1], "the loop fell asleep over a queued callback"
        turn(self.loop)
        assert self.seen == [1] * happened, "a callback was lost or doubled"
        return happened


def work_in(loop: EventLoop, done: list[str]) -> None:
    """Every way to schedule, twice nested, one cancellation, and a stop that comes to nothing."""
    loop.call_soon(done.append, "soon")
    loop.call_soon_threadsafe(done.append, "threadsafe")
    loop.call_later(0, done.append, "timer")
    loop.call_later(60, done.append, "never").cancel()


@at_each_place
@pytest.mark.parametrize("selector", SELECTORS)
def test_it_may_interrupt_any_scheduling_and_any_turn(selector: str) -> None:
    def scene(place: int) -> bool:
        clock = Sleepless()
        loop = new_loop(selector, clock)
        handler = Handler(loop, clock)
        done: list[str] = []

        def play() -> None:
            loop.call_soon_threadsafe(work_in, loop, done)
            run_until_asleep(loop)

        try:
            happened = handler.check(interrupted(FILES, play, place, handler))
            assert sorted(done) == ["soon", "threadsafe", "timer"]
            return happened
        finally:
            loop.close()

    at_every_place(scene)


@at_each_place
@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("debug", [False, True])
def test_it_may_interrupt_itself_and_stop(selector: str, debug: bool) -> None:
    def scene(place: int) -> bool:
        clock = Sleepless()
        loop = new_loop(selector, clock)
        loop.set_debug(debug)
        handler = Handler(loop, clock)
        done: list[str] = []

        def play() -> None:
            loop.call_soon_threadsafe(done.append, "first")
            loop.call_soon_threadsafe(loop.stop)
            loop.run_forever()
            assert done == ["first"]

        try:
            happened = interrupted(FILES, play, place, handler)
            handler.in_time = False  # whether it came before or after stop() is a matter of the place
            return handler.check(happened)
        finally:
            loop.close()

    at_every_place(scene, fewest=20)


@at_each_place
def test_it_may_interrupt_the_timer_heap_and_use_it() -> None:
    """Also while the heap is rebuilt, pruned and emptied; timers that the handler arms fire, once each."""

    def scene(place: int) -> bool:
        clock = Sleepless()
        loop = new_loop("select", clock)
        due: list[str] = []
        dead = [loop.call_later(3600, due.append, "dead") for _ in range(FEWEST_DEAD_TO_REBUILD + 1)]
        for timer in dead[1:]:
            timer.cancel()
        handler = Handler(loop, clock)

        def interrupt() -> None:
            loop.call_later(0, due.append, "handler's")
            loop.call_later(-1, due.append, "handler's past")
            loop.call_later(3600, due.append, "handler's dead").cancel()
            handler()

        def play() -> None:
            loop.call_later(0, due.append, "first")
            dead[0].cancel()
            loop.call_later(0, due.append, "second")
            run_until_asleep(loop)

        try:
            happened = handler.check(interrupted(FILES, play, place, interrupt))
            expected = ["first", "second"] + ["handler's", "handler's past"] * happened
            assert sorted(due) == sorted(expected)
            assert len(loop._timers) == 0
            return happened
        finally:
            loop.close()

    at_every_place(scene)


@at_each_place
@pytest.mark.parametrize("selector", SELECTORS)
def test_it_may_interrupt_close(selector: str) -> None:
    """It is queued or refused, and nothing is left open."""

    def scene(place: int) -> bool:
        before = os.listdir("/dev/fd") if os.path.exists("/dev/fd") else []
        clock = Sleepless()
        loop = new_loop(selector, clock)
        handler = Handler(loop, clock)
        loop.call_later(1, int)
        loop.call_soon(int)
        happened = interrupted(FILES, loop.close, place, handler)
        assert loop.is_closed()
        assert before == (os.listdir("/dev/fd") if before else [])
        assert handler.seen == []
        handler()
        assert handler.refused
        return happened

    at_every_place(scene, fewest=10)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
@pytest.mark.parametrize("selector", SELECTORS)
def test_a_storm_of_real_signals_loses_nothing(selector: str) -> None:
    """Handlers that interrupt everything the loop does, its waits and one another; each call comes once."""
    loop = new_loop(selector)
    numbers = count()
    sent: list[int] = []
    seen: list[int] = []
    most = 1000

    def arrived(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        number = next(numbers)
        loop.call_soon_threadsafe(seen.append, number)
        sent.append(number)
        if len(sent) < most:
            # The next one may come before this handler is through: then it interrupts it.
            signal.setitimer(signal.ITIMER_REAL, 1e-5 * (number % 7) + 1e-6)

    async def busy() -> None:
        while len(sent) < most:
            loop.call_soon_threadsafe(int)
            loop.call_later(3600, int).cancel()
            await asyncio.sleep(0 if len(sent) % 3 else 0.0001)
        await asyncio.sleep(0)

    former = signal.signal(signal.SIGALRM, arrived)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-4)
        loop.run_until_complete(busy())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    turn(loop)
    loop.close()
    assert sorted(seen) == sorted(sent)
    assert len(seen) >= most


@pytest.mark.skipif(sys.platform == "win32", reason="no signals to speak of")
@pytest.mark.parametrize("selector", SELECTORS)
def test_a_handler_of_the_signal_module_wakes_an_idle_loop(selector: str) -> None:
    """The program's own handler: it stops a loop that waits, without add_signal_handler()."""
    loop = new_loop(selector)

    def arrived(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        loop.call_soon_threadsafe(loop.stop)

    former = signal.signal(signal.SIGUSR1, arrived)
    send: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGUSR1)  # noqa: E731
    try:
        for _ in range(50):
            loop.run_in_executor(None, send)
            loop.run_forever()
    finally:
        signal.signal(signal.SIGUSR1, former)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
