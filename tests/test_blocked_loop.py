"""The watchdog: what blocks a loop is told while it blocks.

Callbacks block on something that only the action lets go: each test that ends shows "while".
"""

from __future__ import annotations

import _thread
import asyncio
import gc
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from block_reports import THRESHOLD_S, Letting, Reports, listening, watchdogs
from forked_children import in_child
from loops_under_test import OURS, SELECTORS, new_loop, opened, turn
from muxloop import EventLoop, VirtualClock
from muxloop.conformance.tolerance import tolerance


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.fixture
def each() -> Iterator[EventLoop]:
    yield from opened(OURS[0])


@pytest.fixture
def log() -> Iterator[Letting]:
    yield from listening()


def test_the_stack_of_a_blocking_callback_is_told_while_it_blocks(loop: EventLoop) -> None:
    reports = Reports()
    loop.set_blocked_threshold(THRESHOLD_S, reports)
    loop.call_soon(reports.block)
    turn(loop)
    where, stack, blocked = reports.seen[-1]
    assert where is loop
    assert blocked >= THRESHOLD_S
    # From the callback on: who runs the loop is no news.
    assert reports.functions()[:2] == ["block", "wait"]
    assert stack[0].filename.endswith("block_reports.py")
    assert reports.threads[0] is not threading.current_thread()


def test_a_blocking_coroutine_is_told_with_its_callers_and_its_task(loop: EventLoop, log: Letting) -> None:
    async def inner() -> None:
        log.let_go.wait()

    async def outer() -> None:
        await inner()

    loop.set_blocked_threshold(THRESHOLD_S)
    loop.run_until_complete(loop.create_task(outer(), name="the culprit"))
    record = log.records[-1]
    assert record.levelno == logging.WARNING
    text = record.getMessage()
    assert text.startswith(f"<EventLoop running=True closed=False debug=False selector={_selector(loop)}>")
    assert re.search(r" has been blocked for \d+\.\d{3} seconds by ", text)
    assert " by <Task pending name='the culprit' coro=<" in text
    assert text.index("in outer") < text.index("in inner") < text.index("log.let_go.wait()")


def _selector(loop: EventLoop) -> str:
    return repr(loop).split("selector=")[1].rstrip(">")


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="no C functions without a frame")
def test_a_blocking_function_of_c_is_named(loop: EventLoop, log: Letting) -> None:
    lock = _thread.allocate_lock()
    lock.acquire()
    log.let_go.set = lock.release  # type: ignore[method-assign]
    log.words = "callback = "
    loop.set_blocked_threshold(THRESHOLD_S)
    loop.call_soon(lock.acquire)
    turn(loop)
    assert "callback = lock.acquire()" in log.records[-1].getMessage()


def test_a_block_that_lasts_is_told_at_growing_intervals(loop: EventLoop) -> None:
    reports = Reports(until=5)
    loop.set_blocked_threshold(THRESHOLD_S, reports)
    loop.call_soon(reports.block)
    turn(loop)
    blocked = [blocked for _, _, blocked in reports.seen]
    for number, seconds in enumerate(blocked):
        assert seconds >= THRESHOLD_S * 2**number
    reports.until = len(blocked) + 1
    # The next block is another one: told at the threshold, not after 32 of them.
    loop.call_soon(reports.block)
    turn(loop)
    assert reports.seen[len(blocked)][2] < blocked[-1] * tolerance()


def test_each_of_many_blocks_is_told(loop: EventLoop) -> None:
    reports = Reports()
    loop.set_blocked_threshold(0.001, reports)
    for number in range(1, 30):
        reports.block_in(loop)
        assert len(reports.seen) >= number


def test_the_turns_of_a_busy_loop_do_not_add_up(loop: EventLoop) -> None:
    reports = Reports()
    threshold = 0.1 * tolerance()
    loop.set_blocked_threshold(threshold, reports)
    last = loop.time()
    end = last + 3 * threshold
    longest = 0.0

    def again() -> None:
        nonlocal last, longest
        now = loop.time()
        last, longest = now, max(longest, now - last)
        if now < end:
            loop.call_soon(again)
        else:
            loop.stop()

    again()
    loop.run_forever()
    # A machine may stall for so long: then it is told, and rightly.
    assert reports.seen == [] or longest >= threshold


@pytest.mark.skipif(sys.platform != "linux", reason="switches of a thread are counted by Linux")
def test_neither_an_idle_loop_nor_its_watchdog_wakes(loop: EventLoop) -> None:
    def switches() -> list[int]:
        (watchdog,) = watchdogs()
        counts = []
        for task in (threading.get_native_id(), watchdog.native_id):
            status = Path(f"/proc/self/task/{task}/status").read_text(encoding="ascii")
            counts.append(int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0]))
        return counts

    async def idle() -> list[int]:
        await asyncio.sleep(20 * threshold)  # the thread is started, and parks
        before = switches()
        await asyncio.sleep(100 * threshold)
        return [after - first for after, first in zip(switches(), before, strict=True)]

    threshold = 0.005
    loop.set_blocked_threshold(threshold, Reports())
    of_loop, of_watchdog = loop.run_until_complete(idle())
    # The loop may wait for the GIL now and then; the watchdog looks once or twice around the measuring.
    # One that looked at every threshold would make 100.
    assert of_loop < 50
    assert of_watchdog < 50


def test_an_unwatched_loop_has_no_thread_and_the_plain_batch(loop: EventLoop) -> None:
    loop.call_soon(int)
    turn(loop)
    assert watchdogs() == []
    assert not any("_run_batch" in name for name in vars(loop))


@pytest.mark.parametrize("off", [None, 0, 0.0])
def test_it_is_switched_off(loop: EventLoop, off: float | None) -> None:
    reports = Reports()
    loop.set_blocked_threshold(THRESHOLD_S, reports)
    reports.block_in(loop)
    (thread,) = watchdogs()
    loop.set_blocked_threshold(off)
    thread.join()
    loop.call_soon(int)
    turn(loop)
    assert watchdogs() == []
    loop.set_blocked_threshold(THRESHOLD_S, reports)
    reports.block_in(loop)


def test_closing_ends_the_thread(loop: EventLoop) -> None:
    loop.set_blocked_threshold(3600)
    loop.call_soon(int)
    turn(loop)
    (thread,) = watchdogs()
    loop.close()
    assert not thread.is_alive()
    with pytest.raises(RuntimeError, match="closed"):
        loop.set_blocked_threshold(1)


def test_an_action_that_closes_nothing_but_waits_does_not_hold_up_close_for_ever(each: EventLoop) -> None:
    closed = threading.Event()
    reports = Reports()

    def stuck(*told: Any) -> None:
        reports(*told)
        closed.wait()

    each.set_blocked_threshold(THRESHOLD_S, stuck)
    each.call_soon(reports.block)
    turn(each)
    each.close()
    closed.set()
    for thread in reports.threads:
        thread.join()


def test_a_forgotten_loop_takes_its_thread_along() -> None:
    loop = new_loop(OURS[0])
    loop.set_blocked_threshold(3600)
    loop.call_soon(int)
    turn(loop)
    (thread,) = watchdogs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del loop
        gc.collect()
    thread.join()


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="nothing is freed there but by the collector"
)
def test_a_closed_loop_that_was_watched_needs_no_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        dead: list[bool] = []

        class Dying(EventLoop):
            def __del__(self) -> None:
                dead.append(True)

        loop = Dying()
        reports = Reports()
        loop.set_blocked_threshold(THRESHOLD_S, reports)
        loop.call_soon(reports.block)
        turn(loop)
        loop.close()
        reports.seen.clear()
        del loop
        assert dead == [True]
    finally:
        gc.enable()


def test_loops_in_several_threads_are_told_apart() -> None:
    loops = [new_loop(name) for name in OURS]
    reports = [Reports() for _ in loops]

    def run(loop: EventLoop, report: Reports) -> None:
        loop.set_blocked_threshold(THRESHOLD_S, report)
        loop.call_soon(report.block)
        turn(loop)
        loop.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(loops, reports, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.seen[0][0] for report in reports] == loops
    assert {report.functions()[0] for report in reports} == {"block"}


@pytest.mark.parametrize("debug", [False, True])
def test_it_holds_from_the_next_turn_on_and_in_debug_mode(loop: EventLoop, debug: bool) -> None:
    reports = Reports()

    def begin() -> None:
        loop.set_blocked_threshold(THRESHOLD_S, reports)
        loop.call_soon(reports.block)
        loop.call_soon(loop.stop)

    loop.set_debug(debug)
    loop.call_soon(begin)
    loop.run_forever()
    assert reports.seen
    turn(loop)


def test_a_thread_may_set_it_while_the_loop_runs(loop: EventLoop) -> None:
    reports = Reports()

    def other() -> None:
        loop.set_blocked_threshold(THRESHOLD_S, reports)
        loop.call_soon_threadsafe(reports.block)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=other)
    thread.start()
    loop.run_forever()
    thread.join()
    assert reports.seen


def test_a_failing_action_is_logged_and_tried_again(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    reports = Reports(until=2)

    def failing(*told: Any) -> None:
        reports(*told)
        raise ZeroDivisionError("on purpose")

    loop.set_blocked_threshold(THRESHOLD_S, failing)
    loop.call_soon(reports.block)
    turn(loop)
    loop.close()
    assert len(reports.seen) >= 2
    assert "The action of set_blocked_threshold() failed" in caplog.text
    assert "ZeroDivisionError: on purpose" in caplog.text


def test_control_c_out_of_a_block_ends_it(loop: EventLoop) -> None:
    reports = Reports()

    def interrupted() -> None:
        reports.block()
        raise KeyboardInterrupt

    loop.set_blocked_threshold(THRESHOLD_S, reports)
    loop.call_soon(interrupted)
    loop.call_soon(reports.block)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert reports.seen
    turn(loop)
    assert len(reports.seen) == 2


def test_seconds_are_real_ones_on_any_clock() -> None:
    for loop in opened(OURS[0], VirtualClock()):
        reports = Reports()
        loop.set_blocked_threshold(THRESHOLD_S, reports)
        loop.call_later(3600, reports.block)
        loop.call_later(3601, loop.stop)
        loop.run_forever()
        _, _, blocked = reports.seen[0]
        assert THRESHOLD_S <= blocked < 3600


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("running", [False, True], ids=["between runs", "in a callback"])
def test_a_forked_child_is_watched_by_a_thread_of_its_own(loop: EventLoop, running: bool) -> None:
    reports = Reports()
    codes: list[int] = []

    def in_the_child() -> None:
        mine = Reports()
        # Its own loop: the parent's selector is its parent's as well.
        for own in opened(OURS[0]):
            own.set_blocked_threshold(THRESHOLD_S, mine)
            own.call_soon(mine.block)
            asyncio._set_running_loop(None)
            turn(own)
        loop._run_batch(0)  # what comes after fork() in the parent's loop
        assert mine.seen

    def fork() -> None:
        codes.append(in_child(in_the_child))

    loop.set_blocked_threshold(THRESHOLD_S, reports)
    reports.block_in(loop)
    if running:
        loop.call_soon(fork)
        turn(loop)
    else:
        fork()
    assert codes == [0]
    reports.block_in(loop)
