"""Actions on futures and tasks."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..program import Program
from ..vocabulary import LOOP_ACTIONS
from .scheduling import Callback, Scheduling
from .stage import VALUE


@dataclass
class Walk:
    """How far a task has come in its steps."""

    label: str
    swallows: int
    """So many cancellations it will swallow yet."""
    arrived: asyncio.CancelledError | None = None
    """The CancelledError that leaves its blocks, one after the other."""
    timeouts: list[asyncio.Timeout] = field(default_factory=list)
    """The timeouts around it, outermost first."""
    groups: int = 0
    """The number of groups around it."""


class Tasks(Scheduling):
    """future, on_done, resolve, cancel_future, gather, shield, task, cancel_task, and the steps of tasks."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.futures: dict[str, asyncio.Future[Any]] = {}
        self._tasks: dict[str, asyncio.Task[Any]] = {}  # a loop may have a class of its own for them
        self._combined: dict[str, tuple[str, ...]] = {}

    def do_future(self, label: str) -> None:
        if label not in self.futures:
            self.futures[label] = self.loop.create_future()

    def do_on_done(self, future: str, label: str, body: Program, value: int | None = None) -> None:
        awaited = self.futures.get(future)
        if awaited is None:
            return
        name = self.fresh(label)
        keywords: dict[str, Any] = {}
        if value is not None:
            keywords["context"] = contextvars.copy_context()
            keywords["context"].run(VALUE.set, value)
        self.note(
            "called",
            name,
            via="done",
            of=future,
            done=awaited.done(),
            value=VALUE.get() if value is None else value,
            within=self.running.label if self.running else "",
        )
        awaited.add_done_callback(Callback(self, name, body, "done", None), **keywords)
        if awaited.done():
            self.expect(name)

    def do_resolve(self, label: str) -> None:
        future = self.futures.get(label)
        if future is None or future.done() or self.is_combined(label) or label in self._tasks:
            return
        self._expect_done_callbacks(label)
        self.note("resolving", label)
        future.set_result(None)
        self.note("resolved", label)

    def do_cancel_future(self, label: str, text: str | None = None) -> None:
        future = self.futures.get(label)
        if future is None:
            return
        was_done = future.done()
        if not was_done:
            self._expect_done_callbacks(label)
        self.note("resolving", label)
        said = future.cancel() if text is None else future.cancel(msg=text)
        self.note(
            "future-cancelled", label, said=said, was_done=was_done, outcome=outcome(future), message=text
        )

    def _expect_done_callbacks(self, label: str) -> None:
        for _, _, kind, name, data in self.events:
            if kind == "called" and data.get("of") == label:
                self.expect(name)

    def do_fail_future(self, label: str) -> None:
        future = self.futures.get(label)
        if future is None or future.done() or self.is_combined(label) or label in self._tasks:
            return
        self._expect_done_callbacks(label)
        self.note("resolving", label)
        future.set_exception(ValueError(label))
        self.note("resolved", label, failed=True)

    def is_combined(self, label: str) -> bool:
        """Whether gather() or shield() made the future, which nobody else may settle."""
        return label in self._combined

    def do_gather(self, label: str, text: str, *of: str) -> None:
        parts = self.known(of)
        if parts and label not in self.futures:
            outcomes = text == "all outcomes"
            self._combined[label] = of
            self.futures[label] = asyncio.gather(*parts, return_exceptions=outcomes)
            self.note("combined", label, by="gather", of=list(of), all_outcomes=outcomes)
            self._note_settling(label)

    def do_shield(self, label: str, inner: str) -> None:
        parts = self.known((inner,))
        if parts and label not in self.futures:
            self._combined[label] = (inner,)
            self.futures[label] = asyncio.shield(parts[0])
            self.note("combined", label, by="shield", of=[inner], done=parts[0].done())
            self._note_settling(label)

    def _note_settling(self, label: str) -> None:
        def settled(future: asyncio.Future[Any]) -> None:
            parts = {each: outcome(self.futures[each]) for each in self._combined[label]}
            self.note("settled", label, outcome=outcome(future), parts=parts)

        self.futures[label].add_done_callback(settled)

    def known(self, labels: Iterable[str]) -> list[asyncio.Future[Any]]:
        """The futures and tasks of those labels that there are, each once."""
        found = (self.futures[label] for label in dict.fromkeys(labels) if label in self.futures)
        return [future for future in found if future is not _current_task()]

    # -- tasks -------------------------------------------------------------------------------------------

    def do_task(self, label: str, body: Program, count: int = 0) -> None:
        if label in self.futures:
            return
        self.note("task-created", label)
        self.adopt(label, self.loop.create_task(self.steps(label, body, count)))

    def adopt(self, label: str, task: asyncio.Task[Any]) -> None:
        """A run lasts until the task has ended, which is noted."""
        self.futures[label] = self._tasks[label] = task
        self.expect(label)
        task.add_done_callback(lambda done: self._task_done(label, done))

    def _task_done(self, label: str, task: asyncio.Future[Any]) -> None:
        self.note("task-done", label, outcome=outcome(task))
        self.arrived(label)

    async def steps(self, label: str, body: Program, swallow: int) -> None:
        """The coroutine of a task."""
        self.note("task-started", label)
        await self.take_steps(Walk(label, swallow), body)
        self.note("task-finished", label)

    async def take_steps(self, walk: Walk, body: Program) -> None:
        """One step after the other, those of an inner block like those of the task itself.

        A CancelledError is noted where it arrives, and not again in the blocks that it leaves.
        """
        for step, action in enumerate(body):
            kind, *arguments = action
            take = getattr(self, f"step_{kind}", None)
            try:
                if take is None:
                    self.perform((action,))
                else:
                    await take(walk, *arguments)
                self.note("task-step", walk.label, step=step, action=kind)
            except asyncio.CancelledError as cancelled:
                if cancelled is walk.arrived:
                    raise
                swallowed = walk.swallows > 0 and not LOOP_ACTIONS[kind].steps
                self.note(
                    "task-cancelled",
                    walk.label,
                    step=step,
                    action=kind,
                    message=list(map(str, cancelled.args)),
                    swallowed=swallowed,
                )
                if not swallowed:
                    walk.arrived = cancelled
                    raise
                walk.swallows -= 1

    async def step_await(self, _walk: Walk, label: str) -> None:
        for awaited in self.known((label,)):
            await awaited

    async def step_yield(self, _walk: Walk) -> None:
        await asyncio.sleep(0)

    async def step_pause(self, _walk: Walk, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    async def step_fails(self, walk: Walk) -> None:
        raise ValueError(walk.label)

    async def step_leaves(self, walk: Walk, text: str) -> None:
        raise getattr(builtins, text)(walk.label)

    def do_cancel_task(self, label: str, text: str | None = None) -> None:
        task = self._tasks.get(label)
        if task is None:
            return
        before, was_done = task.cancelling(), task.done()
        said = task.cancel() if text is None else task.cancel(msg=text)
        self.note(
            "cancel-requested",
            label,
            said=said,
            message=text,
            before=before,
            was_done=was_done,
            cancelling=task.cancelling(),
        )

    def do_uncancel(self, label: str) -> None:
        task = self._tasks.get(label)
        if task is not None:
            before = task.cancelling()
            self.note("uncancelled", label, said=task.uncancel(), before=before, cancelling=task.cancelling())


def _current_task() -> asyncio.Task[Any] | None:
    """The task whose step this is, None outside of tasks."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def outcome(future: asyncio.Future[Any]) -> str:
    """What asking the future for its result gives, as text."""
    if not future.done():
        return "pending"
    try:
        return f"result {future.result()!r}"
    except asyncio.CancelledError as cancelled:
        return f"cancelled {list(map(str, cancelled.args))!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
