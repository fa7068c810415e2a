"""How the faults of `faulty_timers` and `faulty_heaps` show."""

# mypy: disable-error-code="func-returns-value"
# A lambda that does two things is a tuple of two calls.

from __future__ import annotations

import asyncio
import gc
import math
import threading
import time
import weakref
from typing import Any

import muxloop
from faulty_timers import SLOT_S
from symptoms import count_polls, error_of, run, run_watched, shows, turn


def one_after_the_other(loop: Any, delays_s: list[float], patience_s: float) -> list[float]:
    """Arm each timer when the one before has fired; the lateness of each, in seconds."""
    late_s: list[float] = []

    def arm() -> None:
        deadline = loop.time() + delays_s[len(late_s)]
        loop.call_at(deadline, fire, deadline)

    def fire(deadline: float) -> None:
        late_s.append(loop.time() - deadline)
        if len(late_s) < len(delays_s):
            arm()
        else:
            loop.stop()

    arm()
    run(loop, patience_s)
    return late_s


@shows("early_timer", right=True)
def no_timer_is_early(loop: Any, patience_s: float) -> object:
    late_s = one_after_the_other(loop, [0.0003 + n * 0.00037 for n in range(20)], patience_s)
    return min(late_s) >= -time.get_clock_info("monotonic").resolution


@shows("exact_deadline_lost", right=20)
def zero_timers_all_fire(loop: Any, _patience_s: float) -> object:
    fired: list[int] = []
    for number in range(20):
        # One at a time: all together they may meet the one moment when a coarse clock moves on.
        loop.call_later(0, fired.append, number)
        turn(loop)
    return len(fired)


@shows("slotted_deadlines", right=["sooner", "later"])
def deadlines_fire_in_their_order(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    slot = (math.floor(loop.time() / SLOT_S) + 2) * SLOT_S
    loop.call_at(slot + 0.6 * SLOT_S, lambda: (log.append("later"), len(log) == 2 and loop.stop()))
    loop.call_at(slot + 0.2 * SLOT_S, lambda: (log.append("sooner"), len(log) == 2 and loop.stop()))
    run(loop, patience_s)
    return log


@shows("overdue_backwards", right=["older", "younger"])
def overdue_timers_fire_in_deadline_order(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.call_at(loop.time() - 1, log.append, "younger")
    loop.call_at(loop.time() - 2, log.append, "older")
    turn(loop)
    return log


@shows("plain_handle_for_zero_delay", right=True)
def zero_delay_gives_a_timer_handle(loop: Any, _patience_s: float) -> object:
    return isinstance(loop.call_later(0, print), asyncio.TimerHandle)


@shows("negative_delay_waits", right=True)
def negative_delay_fires_soon(loop: Any, patience_s: float) -> object:
    loop.call_later(-1000, loop.stop)
    return run(loop, patience_s)


@shows("when_after_firing_crashes", right="none")
def when_answers_after_firing(loop: Any, patience_s: float) -> object:
    timer = loop.call_later(0, loop.stop)
    run(loop, patience_s)
    return error_of(timer.when)


@shows("clock_runs_back", right=True)
def clock_is_monotonic(loop: Any, _patience_s: float) -> object:
    readings = [loop.time() for _ in range(50)]
    return readings == sorted(readings)


@shows("last_millisecond_spins", right=True)
def short_waits_do_not_poll_again_and_again(loop: Any, patience_s: float) -> object:
    polls = count_polls(loop)
    late_s = one_after_the_other(loop, [0.0009] * 10, max(patience_s, 1.0))
    return len(polls) <= 3 * len(late_s)


@shows("infinite_delay_crashes", right="none")
def infinite_delay_is_inert(loop: Any, _patience_s: float) -> object:
    loop.call_later(math.inf, print)
    return error_of(turn, loop)


@shows("wait_not_shortened", right=True)
def timer_armed_by_a_callback_is_in_time(loop: Any, patience_s: float) -> object:
    late_s: list[float] = []
    run_started = loop.time()
    loop.call_soon(
        lambda: loop.call_later(0.02, lambda: (late_s.append(loop.time() - run_started), loop.stop()))
    )
    run(loop, patience_s)
    return late_s[0] < patience_s / 2


@shows("timers_late", right=True)
def timers_are_not_always_late(loop: Any, patience_s: float) -> object:
    return min(one_after_the_other(loop, [0.01] * 5, max(patience_s, 1.0))) < 0.04


@shows("whole_turns_of_the_wheel_are_late", "beyond_a_turn_is_late", right=True)
def a_timer_of_any_delay_is_in_time(loop: Any, patience_s: float) -> object:
    late_s: list[float] = []
    start = loop.time()
    for ms in range(240, 275):
        when = start + ms / 1000
        loop.call_at(when, lambda when=when: late_s.append(loop.time() - when))
    loop.call_later(0.6, loop.stop)
    loop.run_forever()
    return max(late_s) < patience_s / 2


@shows("foreign_thread_arms", right="RuntimeError")
def arming_from_another_thread_is_refused(loop: Any, patience_s: float) -> object:
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(error_of(loop.call_later, 1000, print)))
    loop.set_debug(True)
    loop.call_soon(lambda: (thread.start(), thread.join(), loop.stop()))
    run(loop, patience_s)
    return seen[0]


@shows("cancelled_kept", right=True)
def cancelled_timers_are_released(loop: Any, _patience_s: float) -> object:
    loop.call_later(1000, print)
    timers = [loop.call_later(2000 + number, print) for number in range(1000)]
    for timer in timers:
        timer.cancel()
    left = [weakref.ref(timer) for timer in timers]
    del timer, timers
    turn(loop)
    gc.collect()
    return sum(ref() is not None for ref in left) < 500


def cancel_far_timers(loop: Any) -> None:
    """Make a sweep due at the next turn."""
    for timer in [loop.call_later(2000 + number, print) for number in range(400)]:
        timer.cancel()


def live_after_a_sweep(loop: Any, due_in_s: float, patience_s: float) -> int:
    """How many of 60 live timers fire, with so many cancelled ones beside them that these are swept out."""
    fired: list[int] = []
    for number in range(60):
        loop.call_later(
            due_in_s, lambda number=number: (fired.append(number), len(fired) == 60 and loop.stop())
        )
    cancel_far_timers(loop)
    run_watched(loop, due_in_s + patience_s)
    return len(fired)


@shows("sweep_drops_live", right=60)
def a_sweep_keeps_live_timers(loop: Any, patience_s: float) -> object:
    return live_after_a_sweep(loop, 0.01, patience_s)


@shows("sweep_drops_far_ones", right=60)
def a_sweep_keeps_far_live_timers(loop: Any, patience_s: float) -> object:
    return live_after_a_sweep(loop, 0.6, patience_s)


@shows("far_timers_lost_after_a_while", right=[True, True])
def a_loop_of_any_age_keeps_far_timers(loop: Any, patience_s: float) -> object:
    log: list[bool] = []
    for _ in range(2):
        loop.call_later(1.01, lambda: (log.append(True), loop.stop()))
        run_watched(loop, patience_s + 1.1)
    return log


@shows("sweep_breaks_order", right=["sooner", "later"])
def a_sweep_keeps_the_order(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.call_later(0.05, lambda: (log.append("later"), loop.stop()))
    loop.call_later(0.01, log.append, "sooner")
    cancel_far_timers(loop)
    run_watched(loop, patience_s)
    return log


@shows("cancel_keeps_references", right=True)
def cancel_releases_what_it_would_have_called(loop: Any, _patience_s: float) -> object:
    argument = threading.Event()
    released = weakref.ref(argument)
    timer = loop.call_later(1000, argument.set)
    timer.cancel()
    del argument
    gc.collect()
    return released() is None


@shows("cancel_takes_the_first_of_its_time", "cancel_takes_all_of_its_time", right=["first", "third"])
def a_cancelled_timer_takes_none_of_its_time_along(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    when = loop.time() + 0.01
    handles = [loop.call_at(when, log.append, name) for name in ("first", "second", "third")]
    handles[1].cancel()
    loop.call_at(when + 0.01, loop.stop)
    run_watched(loop, patience_s)
    return sorted(log)


@shows("double_cancel_counted", right=["live"])
def a_second_cancel_costs_nobody(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.call_later(0.01, lambda: (log.append("live"), loop.stop()))
    timer = loop.call_later(1000, print)
    timer.cancel()
    timer.cancel()
    run_watched(loop, patience_s)
    return log


@shows("late_cancel_counted", right=["fired", "live"])
def a_late_cancel_costs_nobody(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    timer = loop.call_later(0, log.append, "fired")
    turn(loop)
    timer.cancel()
    loop.call_later(0.01, lambda: (log.append("live"), loop.stop()))
    run_watched(loop, patience_s)
    return log


@shows("wakes_for_cancelled", right=True)
def cancelled_timers_wake_nobody(loop: Any, patience_s: float) -> object:
    for timer in [loop.call_later(0.002 * number, print) for number in range(1, 21)]:
        timer.cancel()
    polls = count_polls(loop)
    loop.call_later(0.06, loop.stop)
    run(loop, patience_s)
    return len(polls) <= 4


@shows("quadratic_cancel", right=True)
def cancelling_costs_in_proportion(loop: Any, _patience_s: float) -> object:
    def cost_s(timers: int) -> float:
        started = time.thread_time()
        for timer in [loop.call_later(1000 + number, print) for number in range(timers)][::-1]:
            timer.cancel()
        return time.thread_time() - started

    # Many first: a compiler, where there is one, then knows the way when it comes to the few.
    many_s, few_s = (min(cost_s(timers) for _ in range(3)) for timers in (1600, 200))
    return many_s < 24 * few_s


@shows("claims_fifo_deadlines", right=list(range(8)), sound=(muxloop.new_event_loop,))
def equal_deadlines_keep_the_order_of_arming(loop: Any, patience_s: float) -> object:
    log: list[int] = []
    when = loop.time() + 0.01
    for number in range(8):
        loop.call_at(when, log.append, number)
    loop.call_at(when + 0.01, loop.stop)
    run_watched(loop, patience_s)
    return log
