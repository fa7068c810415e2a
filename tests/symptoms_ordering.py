"""How the faults of `faulty_ordering` show."""

# mypy: disable-error-code="func-returns-value"
# A lambda that does two things is a tuple of two calls.

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import Any

from symptoms import run, shows, socket_pairs, turn

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


@shows("last_in_first_out", "call_soon_twice", right=[1, 2, 3])
def callbacks_run_first_in_first_out_and_once(loop: Any, _patience_s: float) -> object:
    log: list[int] = []
    for number in (1, 2, 3):
        loop.call_soon(log.append, number)
    turn(loop)
    return log


@shows("same_turn", "drains_before_polling", right=["first", "second", "reader", "third"])
def io_is_polled_between_batches(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    with socket_pairs(1) as [(here, there)]:

        def reader() -> None:
            log.append("reader")
            loop.remove_reader(here)

        def first() -> None:
            log.append("first")
            there.send(b"x")
            loop.call_soon(second)

        def second() -> None:
            log.append("second")
            loop.call_soon(third)

        def third() -> None:
            log.append("third")
            loop.call_soon(loop.stop)

        loop.add_reader(here, reader)
        loop.call_soon(first)
        run(loop, patience_s)
    return log


@shows("reentrant_call_soon", right=["outer in", "outer out", "inner"])
def callbacks_do_not_reenter(loop: Any, _patience_s: float) -> object:
    log: list[str] = []

    def outer() -> None:
        log.append("outer in")
        loop.call_soon(log.append, "inner")
        log.append("outer out")

    loop.call_soon(outer)
    turn(loop)
    return log


@shows("threadsafe_jumps_queue", right=["soon", "thread-safe"])
def threadsafe_queues_behind(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(log.append, "soon")
    loop.call_soon_threadsafe(log.append, "thread-safe")
    turn(loop)
    return log


@shows("timers_first", right=["soon", "timer"])
def queued_runs_before_zero_timer(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(log.append, "soon")
    loop.call_at(loop.time() - 1, log.append, "timer")
    turn(loop)
    return log


@shows("timers_before_io", right=["reader", "timer"])
def io_runs_before_due_timers(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    with socket_pairs(1) as [(here, there)]:
        there.send(b"x")
        loop.add_reader(here, lambda: (log.append("reader"), loop.remove_reader(here)))
        loop.call_at(loop.time() - 1, log.append, "timer")
        turn(loop)
    return log


@shows("writer_first", right=["reader", "writer"])
def reader_runs_before_writer(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    with socket_pairs(1) as [(here, there)]:
        there.send(b"x")
        loop.add_reader(here, lambda: (log.append("reader"), loop.remove_reader(here)))
        loop.add_writer(here, lambda: (log.append("writer"), loop.remove_writer(here)))
        turn(loop)
    return log


@shows("due_timers_not_snapshotted", "live_heap_walked", right=True)
def zero_timers_let_io_pass(loop: Any, patience_s: float) -> object:
    fired: list[int] = []
    fired_before_reader: list[int] = []
    with socket_pairs(1) as [(here, there)]:

        def rearm(left: int) -> None:
            fired.append(left)
            if left:
                loop.call_later(0, rearm, left - 1)
            else:
                loop.call_soon(loop.stop)

        def reader() -> None:
            fired_before_reader.append(len(fired))
            loop.remove_reader(here)

        loop.add_reader(here, reader)
        loop.call_soon(there.send, b"x")
        loop.call_soon(rearm, 50)
        run(loop, patience_s)
        loop.remove_reader(here)
    return bool(fired_before_reader) and fired_before_reader[0] < 10


@shows("done_callbacks_at_once", right=["set", "callback"])
def done_callbacks_are_queued(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    future = loop.create_future()
    future.add_done_callback(lambda _: log.append("callback"))
    loop.call_soon(lambda: (future.set_result(None), log.append("set")))
    turn(loop)
    return log


@shows("done_callbacks_reversed", right=[1, 2, 3])
def done_callbacks_keep_their_order(loop: Any, _patience_s: float) -> object:
    log: list[int] = []
    future = loop.create_future()
    for number in (1, 2, 3):
        future.add_done_callback(lambda _, number=number: log.append(number))
    future.set_result(None)
    turn(loop)
    return log


@shows("timer_loses_context", "threadsafe_loses_context", right=["given", "given"])
def context_argument_is_used(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    context = copy_context()
    context.run(WHO.set, "given")
    loop.call_at(loop.time() - 1, lambda: log.append(WHO.get()), context=context)
    loop.call_soon_threadsafe(lambda: log.append(WHO.get()), context=context)
    turn(loop)
    return log


@shows("context_of_the_loop", right=["scheduler"])
def context_is_the_one_at_scheduling(loop: Any, _patience_s: float) -> object:
    log: list[str] = []

    def schedule() -> None:
        WHO.set("scheduler")
        loop.call_soon(lambda: log.append(WHO.get()))

    copy_context().run(schedule)
    turn(loop)
    return log
