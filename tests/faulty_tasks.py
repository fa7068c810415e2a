"""Faults in tasks and in what waits for them: counts, shields, wait_for, timeouts, groups (rules CAN).

Most of this belongs to the standard library, on whatever loop: such a fault is a loop that puts a part of its
own into asyncio for as long as it is open.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, ClassVar

from faulty_base import FaultBed, SteppedLoop
from faulty_cancellation import OwnTasksLoop

TASK_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

sound_wait_for = asyncio.wait_for


class OwnPartsLoop(SteppedLoop):
    """Replaces parts of asyncio, by name, until it is closed."""

    parts: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.replaced = {name: getattr(asyncio, name) for name in self.parts}
        for name, part in self.parts.items():
            setattr(asyncio, name, part)

    def close(self) -> None:
        for name, part in self.replaced.items():
            setattr(asyncio, name, part)
        super().close()


# -- counts -------------------------------------------------------------------------------------------------


class CountsToOne(asyncio.Task[Any]):
    """A task that knows whether it was cancelled, not how often."""

    def cancelling(self) -> int:
        return min(1, super().cancelling())


@TASK_FAULTS.plant
class CancellationsNotCounted(OwnTasksLoop):
    """invented: cancelling() is 1 however often the task was cancelled. Breaks CAN-06."""

    task_type = CountsToOne


class ForgetsAll(asyncio.Task[Any]):
    """A task whose uncancel() takes back all requests."""

    def uncancel(self) -> int:
        while super().uncancel():
            pass
        return 0


@TASK_FAULTS.plant
class UncancelForgetsAll(OwnTasksLoop):
    """invented: uncancel() takes back every cancellation, not one. Breaks CAN-06."""

    task_type = ForgetsAll


class NeverTooLate(asyncio.Task[Any]):
    """A task whose cancel() always claims success."""

    def cancel(self, msg: Any | None = None) -> bool:
        return super().cancel(msg) or True


@TASK_FAULTS.plant
class DoneTaskCancelTrue(OwnTasksLoop):
    """invented: Task.cancel() is true though the task is done. Breaks CAN-06."""

    task_type = NeverTooLate


class DeafWhenWoken(asyncio.Task[Any]):
    """A task that drops a cancellation when what it awaits is done, and it is about to be woken."""

    def cancel(self, msg: Any | None = None) -> bool:
        awaited = self._fut_waiter  # type: ignore[attr-defined]
        return (awaited is not None and awaited.done() and not self.done()) or super().cancel(msg)


@TASK_FAULTS.plant
class WokenTaskNotCancelled(OwnTasksLoop):
    """12 bpo-42130: the result of what a task awaits is preferred to a cancellation that comes as late.
    Breaks CAN-07."""

    task_type = DeafWhenWoken


# -- waiting for others -------------------------------------------------------------------------------------


@TASK_FAULTS.plant
class ShieldLetsThrough(OwnPartsLoop):
    """invented: cancelling what is awaited behind shield() cancels the inner task. Breaks CAN-08."""

    parts: ClassVar[dict[str, Any]] = {"shield": asyncio.ensure_future}


def hushing_shield(inner: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """A shield behind which a cancelled task looks as if it had returned."""
    outer = inner.get_loop().create_future()

    def settle(_: object) -> None:
        if not outer.done():
            outer.set_result(None)

    inner.add_done_callback(settle)
    return outer


@TASK_FAULTS.plant
class ShieldHushesUp(OwnPartsLoop):
    """invented: the cancellation of a shielded task does not reach who awaits the shield. Breaks CAN-08."""

    parts: ClassVar[dict[str, Any]] = {"shield": hushing_shield}


async def hasty_wait_for(awaited: asyncio.Future[Any], timeout: float | None) -> Any:
    """Leaves without a look back at what it has cancelled."""
    done, _ = await asyncio.wait([awaited], timeout=timeout)
    if done:
        return awaited.result()
    awaited.cancel()
    raise TimeoutError


@TASK_FAULTS.plant
class WaitForLeavesEarly(OwnPartsLoop):
    """12 bpo-32751: wait_for() raises TimeoutError before the cancelled task has ended. Breaks CAN-09."""

    parts: ClassVar[dict[str, Any]] = {"wait_for": hasty_wait_for}


async def greedy_wait_for(awaited: asyncio.Future[Any], timeout: float | None) -> Any:
    """Takes a result, where there is one, rather than a cancellation."""
    try:
        return await sound_wait_for(awaited, timeout)
    except asyncio.CancelledError:
        if awaited.done() and not awaited.cancelled():
            return awaited.result()
        raise


@TASK_FAULTS.plant
class WaitForHidesCancellation(OwnPartsLoop):
    """12 bpo-42130: wait_for() returns a result, and the cancellation of who waits is lost. Breaks
    CAN-09."""

    parts: ClassVar[dict[str, Any]] = {"wait_for": greedy_wait_for}


class CarelessGathering(asyncio.Future[Any]):
    """A gather() that passes a cancellation on, and takes what comes for results."""

    def __init__(self, parts: tuple[asyncio.Future[Any], ...]) -> None:
        super().__init__(loop=parts[0].get_loop())
        self.parts = parts
        for part in parts:
            part.add_done_callback(self.settle)

    def settle(self, _: object) -> None:
        if not self.done() and all(part.done() for part in self.parts):
            self.set_result([part.cancelled() or part.exception() for part in self.parts])

    def cancel(self, msg: Any | None = None) -> bool:
        told = [part.cancel(msg) for part in self.parts]
        return any(told)


def careless_gather(
    *parts: asyncio.Future[Any],
    return_exceptions: bool = False,  # noqa: ARG001 - it never raises
) -> asyncio.Future[Any]:
    return CarelessGathering(parts)


@TASK_FAULTS.plant
class GatherForgetsCancellation(OwnPartsLoop):
    """37 bpo-32751 class: a gather() that was cancelled ends with a result. Breaks CAN-18."""

    parts: ClassVar[dict[str, Any]] = {"gather": careless_gather}


# -- timeouts -----------------------------------------------------------------------------------------------


def with_timeouts(made: type[asyncio.Timeout]) -> dict[str, Any]:
    """What to put into asyncio so that its timeouts are of that type."""

    def timeout(delay: float | None) -> asyncio.Timeout:
        return made(None if delay is None else asyncio.get_running_loop().time() + delay)

    return {"timeout": timeout, "timeout_at": made}


class PossessiveTimeout(asyncio.Timeout):  # type: ignore[misc]  # it is final, for good reason
    """A timeout that takes every cancellation for its own once it has expired."""

    async def __aexit__(self, kind: Any, error: Any, _: Any) -> None:
        await super().__aexit__(None, None, None)
        if self.expired() and kind is asyncio.CancelledError:
            raise TimeoutError from error


@TASK_FAULTS.plant
class TimeoutSwallowsCancellation(OwnPartsLoop):
    """21 gh-134471: a timeout that expires turns somebody else's cancellation into a TimeoutError.
    Breaks CAN-10."""

    parts: ClassVar[dict[str, Any]] = with_timeouts(PossessiveTimeout)


class AcquisitiveTimeout(asyncio.Timeout):  # type: ignore[misc]
    """A timeout that takes cancellations for its own which were asked for before its block was entered."""

    async def __aexit__(self, kind: Any, error: Any, _: Any) -> None:
        await super().__aexit__(None, None, None)
        if self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


@TASK_FAULTS.plant
class TimeoutTakesEarlierCancellation(OwnPartsLoop):
    """21 gh-134471: a timeout, even one that does not expire, turns a cancellation that was asked for before
    into a TimeoutError. Breaks CAN-17."""

    parts: ClassVar[dict[str, Any]] = with_timeouts(AcquisitiveTimeout)


class UnhurriedTimeout(asyncio.Timeout):  # type: ignore[misc]
    """A timeout that arms a deadline in the past one turn later."""

    def reschedule(self, when: float | None) -> None:
        loop = asyncio.get_running_loop()
        late = when is not None and when <= loop.time()
        super().reschedule(None if late else when)
        if late:
            loop.call_soon(self.expire, when)

    def expire(self, when: float) -> None:
        with contextlib.suppress(RuntimeError, AssertionError):
            super().reschedule(when)


@TASK_FAULTS.plant
class TimeoutLetsAStepPass(OwnPartsLoop):
    """33 gh-95051: timeout(0) lets the first await pass. Breaks CAN-10."""

    parts: ClassVar[dict[str, Any]] = with_timeouts(UnhurriedTimeout)


class StubbornTimeout(asyncio.Timeout):  # type: ignore[misc]
    """A timeout whose timer stays where it was first armed."""

    def reschedule(self, when: float | None) -> None:
        if self._timeout_handler is None:
            super().reschedule(when)
        else:
            self._when = when


@TASK_FAULTS.plant
class RescheduledTimeoutKeepsTime(OwnPartsLoop):
    """29 twisted 9780: a rescheduled timeout expires at its old time. Breaks CAN-10."""

    parts: ClassVar[dict[str, Any]] = with_timeouts(StubbornTimeout)


# -- groups -------------------------------------------------------------------------------------------------


class GroupOfErrors(asyncio.TaskGroup):
    """A group whose errors put everything else out of its mind."""

    async def __aexit__(self, *how: Any) -> bool | None:
        try:
            return await super().__aexit__(*how)
        except BaseExceptionGroup:
            task = asyncio.current_task()
            while task is not None and task.uncancel():
                pass
            raise


@TASK_FAULTS.plant
class GroupForgetsCancellation(OwnPartsLoop):
    """37 bpo-32751 class: a group with errors to raise loses the cancellation from outside. Breaks CAN-11."""

    parts: ClassVar[dict[str, Any]] = {"TaskGroup": GroupOfErrors}


class HastyGroup(asyncio.TaskGroup):
    """A group that nobody waits for."""

    async def __aexit__(self, *_: Any) -> bool | None:
        return None


@TASK_FAULTS.plant
class GroupLeavesEarly(OwnPartsLoop):
    """invented: the block of a group is left while its tasks still run. Breaks CAN-11."""

    parts: ClassVar[dict[str, Any]] = {"TaskGroup": HastyGroup}


class TolerantGroup(asyncio.TaskGroup):
    """A group that cancels nobody."""

    def _abort(self) -> None:
        self._aborting = True


@TASK_FAULTS.plant
class GroupSparesSiblings(OwnPartsLoop):
    """invented: when a task of a group fails, the others go on. Breaks CAN-11."""

    parts: ClassVar[dict[str, Any]] = {"TaskGroup": TolerantGroup}


class ForgivingGroup(asyncio.TaskGroup):
    """A group that tells of one error."""

    async def __aexit__(self, *how: Any) -> bool | None:
        try:
            return await super().__aexit__(*how)
        except BaseExceptionGroup as group:
            raise BaseExceptionGroup(group.message, group.exceptions[:1]) from None


@TASK_FAULTS.plant
class GroupDropsErrors(OwnPartsLoop):
    """invented: of several errors in a group only the first is raised. Breaks CAN-11."""

    parts: ClassVar[dict[str, Any]] = {"TaskGroup": ForgivingGroup}


# -- loops that stop ----------------------------------------------------------------------------------------


@TASK_FAULTS.plant
class StopDropsWakeUps(SteppedLoop):
    """invented: stop() drops what is queued behind it, so that a task is never woken. Breaks CAN-16."""

    def _call_batch(self) -> None:
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not self._stopping:
                self._call_handle(handle)
