"""Actions on futures and tasks."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from ..program import Program
from .scheduling import Callback, Scheduling
from .stage import VALUE


class Tasks(Scheduling):
    """future, on_done, resolve, cancel_future, task, cancel_task."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.futures: dict[str, asyncio.Future[Any]] = {}

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
        if future is None or future.done() or isinstance(future, asyncio.Task):
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
            "future-cancelled", label, said=said, was_done=was_done, outcome=_outcome(future), message=text
        )

    def _expect_done_callbacks(self, label: str) -> None:
        for _, _, kind, name, data in self.events:
            if kind == "called" and data.get("of") == label:
                self.expect(name)

    def do_task(self, label: str, body: Program, count: int = 0) -> None:
        if label in self.futures:
            return
        self.note("task-created", label)
        task = self.futures[label] = self.loop.create_task(self._steps(label, body, count))
        self.expect(label)
        task.add_done_callback(lambda done: self._task_done(label, done))

    def _task_done(self, label: str, task: asyncio.Future[Any]) -> None:
        self._activity += 1
        self.note("task-done", label, outcome=_outcome(task))
        self.met(label)
        self.consider_ending()

    async def _steps(self, label: str, body: Program, swallow: int) -> None:
        self.note("task-started", label)
        for step, action in enumerate(body):
            try:
                if action[0] == "await":
                    awaited = self.futures.get(action[1])
                    if awaited is not None and awaited is not asyncio.current_task():
                        await awaited
                elif action[0] == "yield":
                    await asyncio.sleep(0)
                elif action[0] == "pause":
                    await asyncio.sleep(action[1] / 1000)
                else:
                    self.perform((action,))
                self.note("task-step", label, step=step, action=action[0])
            except asyncio.CancelledError as cancelled:
                self.note(
                    "task-cancelled",
                    label,
                    step=step,
                    action=action[0],
                    message=list(map(str, cancelled.args)),
                )
                if swallow <= 0:
                    raise
                swallow -= 1
        self.note("task-finished", label)

    def do_cancel_task(self, label: str, text: str | None = None) -> None:
        task = self.futures.get(label)
        if not isinstance(task, asyncio.Task):
            return
        said = task.cancel() if text is None else task.cancel(msg=text)
        self.note("cancel-requested", label, said=said, message=text, cancelling=task.cancelling())


def _outcome(future: asyncio.Future[Any]) -> str:
    """What asking the future for its result gives, as text."""
    if not future.done():
        return "pending"
    try:
        return f"result {future.result()!r}"
    except asyncio.CancelledError as cancelled:
        return f"cancelled {list(map(str, cancelled.args))!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
