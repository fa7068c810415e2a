"""How the faults of `faulty_life_cycle` show."""

# mypy: disable-error-code="func-returns-value"
# A lambda that does two things is a tuple of two calls.

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
from pathlib import Path
from typing import Any

from symptoms import error_of, run, shows, turn
from symptoms_cancellation import interrupt

FLOOD = 2000


@shows("no_wake_up", right=True)
def a_blocked_loop_is_woken(loop: Any, patience_s: float) -> object:
    began = loop.time()
    thread = threading.Timer(0.05, lambda: loop.call_soon_threadsafe(loop.stop))
    loop.call_soon(thread.start)
    run(loop, patience_s)
    thread.join()
    return loop.time() - began < patience_s / 2


@shows("wake_up_lost_before_poll", right=True)
def no_wake_up_is_lost_on_the_way_into_the_poll(loop: Any, patience_s: float) -> object:
    began = loop.time()
    pong = threading.Event()

    def play() -> None:
        for _ in range(5):
            pong.wait(10)
            pong.clear()
            loop.call_soon_threadsafe(pong.set)
        pong.wait(10)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=play)
    loop.call_soon(thread.start)
    loop.call_soon(pong.set)
    run(loop, patience_s)
    answered = loop.time() - began < patience_s / 2
    while thread.is_alive():
        turn(loop)
        thread.join(0.001)
    return answered


@shows("refused_wake_up_loses", "flood_doubles", right=list(range(FLOOD)))
def a_flood_is_neither_lost_nor_doubled(loop: Any, patience_s: float) -> object:
    log: list[int] = []

    def note(number: int) -> None:
        log.append(number)
        if len(log) == FLOOD:
            loop.stop()

    def flood() -> None:
        for number in range(FLOOD):
            loop.call_soon_threadsafe(note, number)

    loop.call_soon(flood)
    run(loop, patience_s)
    return log


@shows("closed_loop_accepts", right=["RuntimeError"] * 4)
def a_closed_loop_refuses_callbacks(loop: Any, _patience_s: float) -> object:
    loop.close()
    return [
        error_of(loop.call_soon, print),
        error_of(loop.call_soon_threadsafe, print),
        error_of(loop.call_later, 1, print),
        error_of(loop.call_at, 1, print),
    ]


@shows("foreign_thread_accepted", right="RuntimeError")
def call_soon_from_another_thread_is_refused(loop: Any, patience_s: float) -> object:
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(error_of(loop.call_soon, print)))
    loop.set_debug(True)
    loop.call_soon(lambda: (thread.start(), thread.join(), loop.stop()))
    run(loop, patience_s)
    return seen[0]


class Finalized:
    """Garbage in a cycle, whose finalizer reports to a loop."""

    def __init__(self, loop: Any, log: list[str]) -> None:
        self.me = self
        self.loop = loop
        self.log = log

    def __del__(self) -> None:
        self.loop.call_soon_threadsafe(self.log.append, "finalizer")


@shows("reentry_drops", right=["call", "finalizer"])
def a_finalizer_may_report_at_any_time(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    gc.disable()
    try:
        Finalized(loop, log)
        loop.call_soon_threadsafe(log.append, "call")
        gc.collect()
    finally:
        gc.enable()
    turn(loop)
    return sorted(log)


@shows("own_thread_wakes_nobody", "waits_deaf_to_signals", right=True)
def a_signal_handler_wakes_its_own_loop(loop: Any, patience_s: float) -> object:
    began = loop.time()
    former = signal.signal(signal.SIGUSR1, lambda *_: loop.call_soon_threadsafe(loop.stop))
    loops_thread = threading.get_ident()
    thread = threading.Timer(0.05, signal.pthread_kill, [loops_thread, signal.SIGUSR1])
    loop.call_soon(thread.start)
    run(loop, patience_s)
    thread.join()
    signal.signal(signal.SIGUSR1, former)
    return loop.time() - began < patience_s * 0.9


@shows("stop_before_run_runs_none", "stop_before_run_forgotten", right=["ran"])
def stop_before_run_forever_gives_one_turn(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(log.append, "ran")
    loop.call_later(patience_s, lambda: (log.append("still running"), loop.stop()))
    loop.stop()
    loop.run_forever()
    return log


@shows("stop_runs_extra_batch", right=["stops"])
def what_the_last_batch_schedules_waits(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(lambda: (log.append("stops"), loop.call_soon(log.append, "too late"), loop.stop()))
    loop.run_forever()
    return log


@shows("timers_lost_between_runs", right=["timer"])
def timers_outlive_a_run(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.call_later(0.01, lambda: (log.append("timer"), loop.stop()))
    turn(loop, 1)
    run(loop, patience_s)
    return log


@shows("second_close_raises", right=("none", "none"))
def closing_twice_is_harmless(loop: Any, _patience_s: float) -> object:
    return error_of(loop.close), error_of(loop.close)


@shows("close_runs_pending", right=[])
def closing_drops_what_is_queued(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(log.append, "pending")
    loop.close()
    return log


@shows("close_leaks_fd", right=set())
def closing_frees_every_descriptor(loop: Any, _patience_s: float) -> object:
    return left_open_by(type(loop))


def left_open_by(kind: Any) -> set[str]:
    """What making and closing one leaves open; it is closed here, for the sake of the other tests."""
    before = {link.name for link in Path("/proc/self/fd").iterdir()}
    kind().close()
    left = {name for name in os.listdir("/proc/self/fd") if name not in before and is_open(int(name))}
    for name in left:
        os.close(int(name))
    return left


def is_open(fd: int) -> bool:
    """Whether a descriptor is open; listing a folder shows the one the listing used."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@shows("nested_run_allowed", right="RuntimeError")
def a_running_loop_cannot_be_run(loop: Any, patience_s: float) -> object:
    seen: list[str] = []
    loop.call_soon(lambda: (seen.append(error_of(turn, loop, 1)), loop.stop()))
    run(loop, patience_s)
    return seen[0]


@shows("stopped_run_returns_none", right="RuntimeError")
def a_stopped_run_until_complete_says_so(loop: Any, _patience_s: float) -> object:
    loop.call_soon(loop.stop)
    return error_of(loop.run_until_complete, loop.create_future())


@shows("unusable_after_interrupt", right=["again"])
def an_interrupted_loop_runs_again(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(interrupt)
    try:
        loop.run_forever()
    except KeyboardInterrupt:
        loop.call_later(0.01, lambda: (log.append("again"), loop.stop()))
        run(loop, patience_s)
    return log


@shows("interrupted_run_stops_later_one", "stopped_run_stops_later_one", right=[True, True])
def a_future_waited_for_in_vain_stops_no_later_run(loop: Any, patience_s: float) -> object:
    log: list[bool] = []
    for end in (interrupt, loop.stop):
        forsaken = loop.create_future()
        loop.call_soon(end)
        with contextlib.suppress(KeyboardInterrupt, RuntimeError):
            loop.run_until_complete(forsaken)
        loop.call_soon(forsaken.set_result, None)
        woken = asyncio.Event()
        timer = loop.call_later(0.01, lambda woken=woken: (woken.set(), loop.stop()))
        run(loop, patience_s)
        timer.cancel()
        log.append(woken.is_set())
    return log


@shows("task_that_leaves_stops_next_run", right=True)
def a_task_that_leaves_stops_no_other_run(loop: Any, patience_s: float) -> object:
    async def leave() -> None:
        raise KeyboardInterrupt

    woken = asyncio.Event()
    with contextlib.suppress(KeyboardInterrupt):
        loop.run_until_complete(leave())
    timer = loop.call_later(0.01, lambda: (woken.set(), loop.stop()))
    run(loop, patience_s)
    timer.cancel()
    return woken.is_set()


@shows("running_loop_left_set", right="RuntimeError")
def no_loop_is_running_after_a_run(loop: Any, _patience_s: float) -> object:
    turn(loop)
    return error_of(asyncio.get_running_loop)
