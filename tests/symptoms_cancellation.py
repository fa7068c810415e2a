"""How the faults of `faulty_cancellation` show."""

# mypy: disable-error-code="func-returns-value"
# A lambda that does two things is a tuple of two calls.

from __future__ import annotations

import asyncio
from typing import Any

from symptoms import error_of, run, shows, turn


def fail() -> None:
    """A callback that raises."""
    raise ZeroDivisionError("planted")


def interrupt() -> None:
    """A callback into which Ctrl-C falls."""
    raise KeyboardInterrupt


@shows("cancelled_in_batch_runs", right=["first"])
def a_handle_cancelled_in_its_batch_does_not_run(loop: Any, _patience_s: float) -> object:
    log: list[str] = []

    def first() -> None:
        log.append("first")
        second.cancel()

    loop.call_soon(first)
    second: asyncio.Handle = loop.call_soon(log.append, "second")
    turn(loop)
    return log


@shows("cancelled_timer_runs", right=["other"])
def a_cancelled_timer_does_not_run(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.call_later(0.001, log.append, "cancelled").cancel()
    loop.call_later(0.002, lambda: (log.append("other"), loop.stop()))
    run(loop, patience_s)
    return log


@shows("second_cancel_raises", right="none")
def a_second_cancel_is_harmless(loop: Any, _patience_s: float) -> object:
    handle = loop.call_soon(print)
    handle.cancel()
    return error_of(handle.cancel)


@shows("cancelled_lies", right=(False, True, False, True))
def cancelled_tells_the_truth(loop: Any, _patience_s: float) -> object:
    answers: list[bool] = []
    for handle in (loop.call_soon(print), loop.call_later(1000, print)):
        answers.append(handle.cancelled())
        handle.cancel()
        answers.append(handle.cancelled())
    return tuple(answers)


@shows("second_future_cancel_true", right=(True, False))
def a_future_is_cancelled_once(loop: Any, _patience_s: float) -> object:
    future = loop.create_future()
    return future.cancel(), future.cancel()


@shows("cancel_message_lost", right=("why",))
def a_future_keeps_the_message(loop: Any, _patience_s: float) -> object:
    future = loop.create_future()
    future.cancel("why")
    try:
        future.result()
    except asyncio.CancelledError as error:
        return error.args
    return "no error"


@shows("self_cancel_dropped", right="cancelled")
def a_task_can_cancel_itself(loop: Any, _patience_s: float) -> object:
    async def body() -> str:
        task = asyncio.current_task()
        assert task
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return "cancelled"
        return "went on"

    return loop.run_until_complete(loop.create_task(body()))


@shows("cancelled_before_start_runs", right=[])
def a_task_cancelled_before_its_start_never_starts(loop: Any, _patience_s: float) -> object:
    log: list[str] = []

    async def body() -> None:
        log.append("body")

    loop.create_task(body()).cancel()
    turn(loop)
    return log


@shows("handler_without_loop", "handler_misses_exception", right=[(2, "ZeroDivisionError")])
def the_handler_is_told_loop_and_context(loop: Any, _patience_s: float) -> object:
    told: list[tuple[int, str]] = []
    loop.set_exception_handler(
        lambda *args: told.append((len(args), type(args[-1].get("exception")).__name__))
    )
    loop.call_soon(fail)
    turn(loop)
    return told


@shows("batch_lost_after_error", "broken_handler_kills", right=["after"])
def an_error_spares_the_rest(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    loop.set_exception_handler(lambda *_: fail())
    loop.call_soon(fail)
    loop.call_soon(lambda: (log.append("after"), loop.stop()))
    run(loop, patience_s)
    return log


@shows("interrupt_swallowed", "interrupt_drops_queue", right=["interrupted", "queued"])
def an_interrupt_leaves_at_once_and_loses_nothing(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.call_soon(interrupt)
    loop.call_soon(log.append, "queued")
    try:
        turn(loop)
    except KeyboardInterrupt:
        log.append("interrupted")
    turn(loop)
    return log
