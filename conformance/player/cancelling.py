"""Actions that cancel tasks or wait for those that were: timeouts, wait_for, wait, groups."""

from __future__ import annotations

import asyncio
from typing import Any

from ..program import Program
from .tasks import Tasks, Walk, outcome


class Cancelling(Tasks):
    """timeout, reschedule, wait_for, wait, group, group_task."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._timeout_blocks: dict[str, asyncio.Timeout] = {}
        self._group_blocks: dict[str, tuple[asyncio.TaskGroup, list[str]]] = {}

    async def step_timeout(self, walk: Walk, label: str, ms: Any, body: Program, text: str = "after") -> None:
        """A TimeoutError of its own ends here; anything else goes on outwards."""
        name = self.fresh(label)
        delay_s = None if ms == "none" else ms / 1000
        if text == "at" and delay_s is not None:
            timeout = asyncio.timeout_at(self.loop_time() + delay_s)
        else:
            timeout = asyncio.timeout(delay_s)
        self._enter_block(walk, name, "timeout", delay=delay_s)
        try:
            async with timeout:
                self._timeout_blocks[label] = timeout
                walk.timeouts.append(timeout)
                try:
                    await self.take_steps(walk, body)
                finally:
                    walk.timeouts.pop()
        except TimeoutError:
            walk.arrived = None
            self._leave_block(
                walk, name, "timeout", "TimeoutError", expired=timeout.expired(), when=timeout.when()
            )
        except BaseException as error:
            how = _named(error)
            self._leave_block(walk, name, "timeout", how, expired=timeout.expired(), when=timeout.when())
            raise
        else:
            self._leave_block(
                walk, name, "timeout", "returned", expired=timeout.expired(), when=timeout.when()
            )

    def do_reschedule(self, label: str, ms: Any) -> None:
        timeout = self._timeout_blocks.get(label)
        if timeout is None:
            return
        when = None if ms == "none" else self.loop_time() + ms / 1000
        error = None
        try:
            timeout.reschedule(when)
        except RuntimeError as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("rescheduled", self.current(label), when=when, says=timeout.when(), refused=error)

    def _enter_block(self, walk: Walk, name: str, block: str, **data: Any) -> None:
        self.note("block-entered", name, **self._standing_of(walk), block=block, **data)

    def _leave_block(self, walk: Walk, name: str, block: str, how: str, **data: Any) -> None:
        self.note("block-left", name, **self._standing_of(walk), block=block, outcome=how, **data)

    def _standing_of(self, walk: Walk) -> dict[str, Any]:
        task = asyncio.current_task()
        return {
            "task": walk.label,
            "cancelling": task.cancelling() if task else 0,
            "around": sum(timeout.expired() for timeout in walk.timeouts),
            "groups": walk.groups,
            "loop_time": self.loop_time(),
        }

    # -- waiting for others ------------------------------------------------------------------------------

    async def step_wait_for(self, walk: Walk, label: str, ms: Any) -> None:
        """A TimeoutError is noted and forgotten; anything else goes on."""
        found = self.known((label,))
        if not found:
            return
        delay_s = None if ms == "none" else ms / 1000
        self._enter_block(walk, label, "wait_for", delay=delay_s)
        how = "returned"
        try:
            await asyncio.wait_for(found[0], delay_s)
        except TimeoutError:
            how = "TimeoutError"
        except BaseException as error:
            how = _named(error)
            raise
        finally:
            self._leave_block(walk, label, "wait_for", how, inner=outcome(found[0]), asked=_asked(found[0]))

    async def step_wait(self, walk: Walk, text: str, ms: Any, *labels: str) -> None:
        found = self.known(labels)
        if not found:
            return
        delay_s = None if ms == "none" else ms / 1000
        self._enter_block(walk, labels[0], "wait", delay=delay_s)
        how, told = "returned", None
        try:
            done, pending = await asyncio.wait(found, timeout=delay_s, return_when=text)
            told = all(each.done() for each in done) and done | pending == set(found)
        except BaseException as error:
            how = _named(error)
            raise
        finally:
            outcomes = [outcome(each) for each in found]
            self._leave_block(walk, labels[0], "wait", how, told=told, until=text, outcomes=outcomes)

    # -- groups ------------------------------------------------------------------------------------------

    async def step_group(self, walk: Walk, label: str, body: Program) -> None:
        """An ExceptionGroup ends here, with its errors noted; anything else goes on outwards."""
        name = self.fresh(label)
        children: list[str] = []
        self._enter_block(walk, name, "group")
        how, errors = "returned", None
        try:
            async with asyncio.TaskGroup() as group:
                self._group_blocks[label] = group, children
                walk.groups += 1
                try:
                    await self.take_steps(walk, body)
                finally:
                    walk.groups -= 1
        except BaseExceptionGroup as caught:
            how, errors = "errors", sorted(str(error) for error in caught.exceptions)
            walk.arrived = None
        except BaseException as error:
            how = _named(error)
            raise
        finally:
            outcomes = {child: outcome(self.futures[child]) for child in children}
            self._leave_block(walk, name, "group", how, errors=errors, children=outcomes)

    def do_group_task(self, label: str, group: str, body: Program, count: int = 0) -> None:
        """A group that is over, or about to be, refuses."""
        if group not in self._group_blocks or label in self.futures:
            return
        found, children = self._group_blocks[group]
        coroutine = self.steps(label, body, count)
        self.note("task-created", label, group=self.current(group))
        try:
            task = found.create_task(coroutine)
        except RuntimeError as refused:
            coroutine.close()
            self.note("not-spawned", label, refused=f"{type(refused).__name__}: {refused}")
            return
        children.append(label)
        self.adopt(label, task)


def _named(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return f"cancelled {list(map(str, error.args))!r}"
    return f"{type(error).__name__}: {error}"


def _asked(future: asyncio.Future[Any]) -> bool:
    """Whether the future is done, or was asked to be cancelled."""
    return future.done() or getattr(future, "cancelling", int)() > 0
