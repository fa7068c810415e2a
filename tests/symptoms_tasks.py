"""How the faults of `faulty_tasks` show."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from symptoms import SOUND_LOOPS, run, shows, turn


async def nothing() -> None:
    """Returns at once."""


def told(coroutine: Coroutine[Any, Any, object], loop: Any, patience_s: float) -> object:
    """What the coroutine returns, or the name of what it raises; "pending" when patience ran out."""
    task = loop.create_task(coroutine)
    task.add_done_callback(lambda _: loop.stop())
    run(loop, patience_s)
    if not task.done():
        return "pending"
    if task.cancelled():
        return "CancelledError"
    error = task.exception()
    return type(error).__name__ if error else task.result()


@shows("cancellations_not_counted", right=2)
def two_cancellations_are_two(loop: Any, _patience_s: float) -> object:
    task = loop.create_task(nothing())
    task.cancel()
    task.cancel()
    count = task.cancelling()
    turn(loop)
    return count


@shows("uncancel_forgets_all", right=1)
def one_of_two_is_taken_back(loop: Any, _patience_s: float) -> object:
    task = loop.create_task(nothing())
    task.cancel()
    task.cancel()
    left = task.uncancel()
    turn(loop)
    return left


@shows("done_task_cancel_true", right=False)
def a_task_that_is_done_cannot_be_cancelled(loop: Any, _patience_s: float) -> object:
    task = loop.create_task(nothing())
    turn(loop)
    return task.cancel()


@shows("woken_task_not_cancelled", right="CancelledError")
def a_task_about_to_be_woken_is_cancelled(loop: Any, patience_s: float) -> object:
    future = loop.create_future()

    async def body() -> None:
        await future

    def wake_and_cancel() -> None:
        future.set_result(None)
        for task in asyncio.all_tasks(loop):
            task.cancel()

    loop.call_soon(loop.call_soon, wake_and_cancel)
    return told(body(), loop, patience_s)


@shows("shield_lets_through", right=False)
def a_shielded_future_survives(loop: Any, _patience_s: float) -> object:
    inner = loop.create_future()
    asyncio.shield(inner).cancel()
    return inner.cancelled()


@shows("shield_hushes_up", right=True)
def the_end_of_the_inner_one_is_passed_on(loop: Any, _patience_s: float) -> object:
    inner = loop.create_future()
    outer = asyncio.shield(inner)
    inner.cancel()
    turn(loop)
    return outer.cancelled()


@shows("wait_for_leaves_early", right=("TimeoutError", True))
def what_was_waited_for_in_vain_has_ended(loop: Any, patience_s: float) -> object:
    async def cleans_up() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.001)

    async def body() -> object:
        inner = asyncio.ensure_future(cleans_up())
        try:
            await asyncio.wait_for(inner, 0.001)
        except TimeoutError:
            return "TimeoutError", inner.done()

    return told(body(), loop, patience_s)


def _cancelled_together(future: asyncio.Future[Any], task: asyncio.Task[Any]) -> None:
    future.set_result(None)
    task.cancel()


async def _waits_for(future: asyncio.Future[Any]) -> object:
    task = asyncio.current_task()
    assert task is not None
    task.get_loop().call_soon(_cancelled_together, future, task)
    try:
        await asyncio.wait_for(future, 3600)
    except asyncio.CancelledError:
        return "cancelled"
    return "not cancelled"


@shows(
    "wait_for_hides_cancellation",
    right="cancelled",
    # Before, the standard library's own wait_for() had this fault.
    sound=SOUND_LOOPS if sys.version_info >= (3, 12) else (),
)
def who_waits_is_cancelled_though_there_is_a_result(loop: Any, patience_s: float) -> object:
    return told(_waits_for(loop.create_future()), loop, patience_s)


@shows("gather_forgets_cancellation", right="CancelledError")
def a_cancelled_gather_is_cancelled(loop: Any, patience_s: float) -> object:
    async def body() -> None:
        gathered = asyncio.gather(loop.create_future(), loop.create_future())
        loop.call_soon(gathered.cancel)
        await gathered

    return told(body(), loop, patience_s)


@shows("timeout_swallows_cancellation", right="CancelledError")
def a_foreign_cancellation_stays_one(loop: Any, patience_s: float) -> object:
    async def body() -> str:
        task = asyncio.current_task()
        assert task is not None
        try:
            async with asyncio.timeout(0):
                task.cancel()
                await asyncio.sleep(0)
        except TimeoutError:
            return "TimeoutError"
        return "nothing"

    return told(body(), loop, patience_s)


@shows("timeout_takes_earlier_cancellation", right="CancelledError")
def an_earlier_cancellation_stays_one(loop: Any, patience_s: float) -> object:
    async def body() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            async with asyncio.timeout(1000):
                await asyncio.sleep(0)
        except TimeoutError:
            return "TimeoutError"
        return "nothing"

    return told(body(), loop, patience_s)


@shows("timeout_lets_a_step_pass", right=["TimeoutError"])
def nothing_gets_past_a_timeout_of_zero(loop: Any, patience_s: float) -> object:
    log: list[str] = []

    async def body() -> list[str]:
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(0)
                log.append("went on")
        except TimeoutError:
            log.append("TimeoutError")
        return log

    return told(body(), loop, patience_s)


@shows("rescheduled_timeout_keeps_time", right="in time")
def a_timeout_put_off_does_not_expire(loop: Any, patience_s: float) -> object:
    async def body() -> str:
        async with asyncio.timeout(0.001) as timeout:
            timeout.reschedule(None)
            await asyncio.sleep(0.005)
        return "in time"

    return told(body(), loop, patience_s)


async def _fails() -> None:
    raise ValueError("planted")


@shows(
    "group_forgets_cancellation",
    right=True,
    # Before, the standard library's own groups had this fault.
    sound=SOUND_LOOPS if sys.version_info >= (3, 13) else (),
)
def a_group_with_errors_keeps_the_cancellation(loop: Any, patience_s: float) -> object:
    async def body() -> object:
        task = asyncio.current_task()
        assert task is not None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fails())
                task.cancel()
        except BaseExceptionGroup:
            await asyncio.sleep(0)
        return "not cancelled"

    async def outer() -> object:
        inner = asyncio.ensure_future(body())
        await asyncio.wait([inner])
        return inner.cancelled() or inner.result()

    return told(outer(), loop, patience_s)


@shows("group_leaves_early", right=[True])
def the_tasks_of_a_group_are_done_behind_it(loop: Any, patience_s: float) -> object:
    async def body() -> object:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0.001))]
        return [task.done() for task in tasks]

    return told(body(), loop, patience_s)


@shows("group_spares_siblings", right=True)
def a_failure_cancels_the_siblings(loop: Any, patience_s: float) -> object:
    async def body() -> object:
        try:
            async with asyncio.TaskGroup() as group:
                sibling = group.create_task(asyncio.sleep(0.005))
                group.create_task(_fails())
        except BaseExceptionGroup:
            return sibling.cancelled()
        return "no group"

    return told(body(), loop, patience_s)


@shows("group_drops_errors", right=2)
def all_errors_of_a_group_are_raised(loop: Any, patience_s: float) -> object:
    async def body() -> object:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fails())
                group.create_task(_fails())
        except BaseExceptionGroup as errors:
            return len(errors.exceptions)
        return "no group"

    return told(body(), loop, patience_s)


@shows("stop_drops_wake_ups", right="woken")
def what_is_queued_behind_stop_is_not_lost(loop: Any, _patience_s: float) -> object:
    future = loop.create_future()

    async def body() -> None:
        await future

    task = loop.create_task(body())
    turn(loop)
    loop.call_soon(loop.stop)
    future.set_result(None)
    loop.run_forever()
    turn(loop)
    return "woken" if task.done() else "asleep"
