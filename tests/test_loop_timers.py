"""The timers of the loop, and the heap that holds them."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import random
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from contextvars import copy_context

import pytest
from loops_under_test import SELECTORS, new_loop, opened, turn
from muxloop import EventLoop, VirtualClock
from muxloop.loop.handles import TimerHandle
from muxloop.loop.timers import TimerHeap


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param, VirtualClock(1000.0))


@pytest.fixture
def real_loop() -> Iterator[EventLoop]:
    yield from opened("stdlib")


def run_for(loop: EventLoop, seconds: float) -> None:
    """Run until a timer armed now for ``seconds`` fires."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


def stop_and_note(loop: EventLoop, times: list[float]) -> None:
    times.append(loop.time())
    loop.stop()


def test_timers_fire_by_deadline_and_equal_ones_in_the_order_of_arming(loop: EventLoop) -> None:
    rng = random.Random(1)
    seen: list[tuple[float, int]] = []
    armed = [(1000 + rng.randrange(20), number) for number in range(500)]
    for when, number in armed:
        loop.call_at(when, seen.append, (when, number))
    run_for(loop, 100)
    assert seen == sorted(armed)


@pytest.mark.parametrize("delay", [1e-9, 1e-6, 3e-4, 1e-3, 2.5e-3, 1.01e-2])
@pytest.mark.parametrize("selector", SELECTORS)
def test_a_timer_is_never_early(selector: str, delay: float) -> None:
    for loop in opened(selector):
        for _ in range(5):
            fired: list[float] = []
            timer = loop.call_later(
                delay, lambda fired=fired, loop=loop: (fired.append(loop.time()), loop.stop())
            )
            loop.run_forever()
            assert fired[0] >= timer.when()


def test_a_time_that_has_come_exactly_is_due_at_any_uptime() -> None:
    for uptime in (0.0, 2.0**24, 2.0**44, 2.0**52):
        for loop in opened("stdlib", VirtualClock(uptime)):
            seen: list[str] = []
            loop.call_at(uptime, seen.append, "due")
            turn(loop)
            assert seen == ["due"]


def test_when_is_the_deadline_for_ever(loop: EventLoop) -> None:
    timer = loop.call_at(1234.5, int)
    fired = loop.call_at(999, int)
    turn(loop)
    timer.cancel()
    assert timer.when() == 1234.5
    assert fired.when() == 999
    assert isinstance(timer, asyncio.TimerHandle)


@pytest.mark.parametrize("delay", [math.nan, -math.inf])
def test_what_no_clock_shows_is_refused(loop: EventLoop, delay: float) -> None:
    with pytest.raises(ValueError, match="needs a time"):
        loop.call_later(delay, int)
    with pytest.raises(ValueError, match="needs a time"):
        loop.call_at(delay, int)


@pytest.mark.parametrize("when", [math.inf, 10**400])
def test_a_timer_at_infinity_never_fires_and_no_clock_jumps_there(loop: EventLoop, when: float) -> None:
    """anyio.sleep_forever() is a sleep of infinite length."""
    never = loop.call_at(when, pytest.fail, "the end of time has come")
    started = loop.time()
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    loop.call_later(0.001, never.cancel)
    loop.call_later(0.002, loop.stop)
    loop.run_forever()
    assert never.when() == when
    assert started < loop.time() < started + 1e6


@pytest.mark.parametrize("delay", [None, "1"])
def test_what_is_no_number_is_refused(loop: EventLoop, delay: float) -> None:
    with pytest.raises(TypeError):
        loop.call_later(delay, int)
    with pytest.raises(TypeError):
        loop.call_at(delay, int)


def test_huge_delays_are_inert(real_loop: EventLoop) -> None:
    for delay in (1e9, 1e18, sys.float_info.max):
        real_loop.call_later(delay, pytest.fail, "a timer of the far future fired")
    run_for(real_loop, 0.01)


@pytest.mark.parametrize("delay", [0, -1, -1e300])
def test_delays_that_are_over_fire_in_the_next_turn(loop: EventLoop, delay: float) -> None:
    seen: list[str] = []
    timer = loop.call_later(delay, seen.append, "fired")
    assert isinstance(timer, asyncio.TimerHandle)
    turn(loop)
    assert seen == ["fired"]


def test_a_timer_armed_in_a_callback_shortens_the_wait(loop: EventLoop) -> None:
    loop.call_later(50, pytest.fail, "waited for the later timer")
    loop.call_soon(lambda: loop.call_later(5, loop.stop))
    loop.run_forever()
    assert loop.time() == 1005


def test_cancelling_lets_go_of_callback_arguments_and_context(loop: EventLoop) -> None:
    class Thing:
        def method(self) -> None: ...

    callback, argument = Thing(), Thing()
    watched = [weakref.ref(callback), weakref.ref(argument)]
    timer = loop.call_later(60, callback.method, argument)
    soon = loop.call_soon(callback.method, argument)
    del callback, argument
    timer.cancel()
    soon.cancel()
    if sys.implementation.name != "cpython":
        gc.collect()  # elsewhere nothing goes away before
    assert [ref() for ref in watched] == [None, None]
    assert weakref.ref(timer)() is timer
    assert timer.cancelled()
    assert soon.cancelled()


def test_arming_and_cancelling_in_one_callback_keeps_memory_bounded(loop: EventLoop) -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy cannot trace memory")
    grown = 0

    def churn() -> None:
        nonlocal grown
        loop.call_later(30, int)  # a live head must not hold back the dead behind it
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100_000):
            loop.call_later(60, int).cancel()
        grown = tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        loop.call_soon(churn)
        turn(loop)
    finally:
        tracemalloc.stop()
    assert grown < 1_000_000


def test_cancelled_timers_do_not_wake_the_loop(loop: EventLoop) -> None:
    for number in range(10):
        loop.call_later(number, int).cancel()
    run_for(loop, 100)
    assert loop.time() == 1100


def test_random_arming_and_cancelling_loses_and_doubles_nothing(loop: EventLoop) -> None:
    rng = random.Random(2)
    expected: list[tuple[float, int]] = []
    seen: list[tuple[float, int]] = []
    timers: dict[int, asyncio.TimerHandle] = {}
    for number in range(5000):
        when = 1000 + rng.randrange(1000)
        timers[number] = loop.call_at(when, seen.append, (when, number))
        if rng.random() < 0.7:
            timers[rng.choice(list(timers))].cancel()
    expected = sorted((timer.when(), number) for number, timer in timers.items() if not timer.cancelled())
    run_for(loop, 2000)
    assert seen == expected


def test_timers_of_seconds_hours_and_years_fire_in_order_whenever_they_were_armed(loop: EventLoop) -> None:
    """Far timers are kept apart from near ones, by spans of time: no border between spans may show."""
    rng = random.Random(5)
    expected: list[tuple[float, int]] = []
    seen: list[tuple[float, int]] = []
    numbers = itertools.count()

    def arm() -> None:
        delay = rng.choice([0.0, 0.25, 1.0, 64.0, 255.75, 256.0, 3600.0, 1e6, 1e9]) * rng.choice(
            [1, 1, 1.5, 3]
        )
        entry = (loop.time() + delay, next(numbers))
        timer = loop.call_at(entry[0], fire, entry)
        if rng.random() < 0.3:
            timer.cancel()
        else:
            expected.append(entry)

    def fire(entry: tuple[float, int]) -> None:
        seen.append(entry)
        if len(expected) < 3000:
            arm()
            arm()

    for _ in range(50):
        arm()
    run_for(loop, 1e11)
    assert len(seen) >= 3000
    assert seen == sorted(expected)


class Armed:
    """A heap, and timers for it, without a loop's queue around them."""

    def __init__(self) -> None:
        self._timers = TimerHeap()
        self.debug = False

    def arm(self, when: float) -> TimerHandle:
        timer = TimerHandle(when, int, (), self, copy_context())  # type: ignore[arg-type]
        self._timers.push(timer)
        return timer

    def check(self) -> None:
        heap = self._timers
        assert heap.dead == sum(timer.cancelled() for timer in heap)
        assert len(heap) == sum(not timer.cancelled() for timer in heap)


def test_the_dead_are_counted_exactly() -> None:
    rng = random.Random(3)
    armed = Armed()
    ready: list[TimerHandle] = []
    handles: list[TimerHandle] = []
    for step in range(20_000):
        act = rng.random()
        if act < 0.5 or not handles:
            handles.append(armed.arm(rng.randrange(1000)))
        elif act < 0.95:
            rng.choice(handles).cancel()  # twice, late and after firing included
        elif act < 0.98:
            armed._timers.take_due(rng.randrange(1000), ready)  # type: ignore[arg-type]
        else:
            armed._timers.next_deadline()
        if step % 50 == 0:
            armed.check()
    armed.check()
    assert sum(1 for _ in armed._timers) < 2 * len(armed._timers) + 130


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="finalisers run when the collector does, not during cancel()"
)
def test_finalisers_that_arm_and_cancel_during_a_cancellation_lose_nothing() -> None:
    armed = Armed()
    live: list[TimerHandle] = []
    spare = [armed.arm(number) for number in range(3000)]

    class Meddler:
        def __call__(self) -> None: ...

        def __del__(self) -> None:
            live.append(armed.arm(5000 + len(live)))
            if spare:
                spare.pop().cancel()

    for number in range(3000):
        timer = TimerHandle(number, Meddler(), (), armed, copy_context())  # type: ignore[arg-type]
        armed._timers.push(timer)
        timer.cancel()
    armed.check()
    standing = {id(timer) for timer in armed._timers}
    assert len(live) == 3000
    assert all(id(timer) in standing for timer in live)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to a thread")
def test_signal_handlers_that_arm_and_cancel_at_any_moment_lose_nothing() -> None:
    armed = Armed()
    live: list[TimerHandle] = []
    doomed: list[TimerHandle] = []
    handled = threading.Event()
    main = threading.get_ident()

    def meddle(*_: object) -> None:
        live.append(armed.arm(random.random()))
        doomed.extend(armed.arm(random.random()) for _ in range(3))
        while len(doomed) > 100:
            doomed.pop(0).cancel()
        handled.set()

    def send() -> None:
        for _ in range(1000):
            handled.clear()
            signal.pthread_kill(main, signal.SIGUSR1)
            handled.wait()

    former = signal.signal(signal.SIGUSR1, meddle)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        while sender.is_alive():
            for _ in range(100):
                armed.arm(2.0).cancel()
            armed._timers.next_deadline()
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, former)
    armed.check()
    standing = {id(timer) for timer in armed._timers}
    assert len(live) >= 1000
    assert all(id(timer) in standing for timer in live)


def test_arming_and_cancelling_is_not_quadratic() -> None:
    def steps(count: int) -> int:
        """Opcode-free measure of work: entries scanned by rebuilds."""
        armed = Armed()
        scanned = 0

        class Counting(list[object]):
            def __iter__(self) -> Iterator[object]:
                nonlocal scanned
                scanned += len(self)
                return super().__iter__()

        armed._timers.heap = Counting()  # type: ignore[assignment]
        handles = [armed.arm(number) for number in range(count)]
        for handle in handles:
            handle.cancel()
        return scanned

    assert steps(10_000) < 10_000 * 4
    assert steps(40_000) < 40_000 * 4


def test_an_idle_wait_of_less_than_a_millisecond_does_not_spin() -> None:
    for name in SELECTORS:
        loop = new_loop(name)
        turns = 0
        select = loop._selector.select

        def counting(timeout: float | None = None, select: object = select) -> object:
            nonlocal turns
            turns += 1
            return select(timeout)  # type: ignore[operator]

        loop._selector.select = counting  # type: ignore[method-assign, assignment]
        run_for(loop, 5e-4)
        loop.close()
        assert turns < 10, name


def test_no_timer_outlives_its_loop() -> None:
    loop = new_loop("stdlib")
    timer = loop.call_later(60, int)
    ref = weakref.ref(loop)
    loop.close()
    timer.cancel()
    del loop, timer
    gc.collect()
    assert ref() is None
