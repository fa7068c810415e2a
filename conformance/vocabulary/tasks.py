"""Futures and tasks."""

from __future__ import annotations

from .spec import ActionSpec, spec

LEAVING = ("KeyboardInterrupt", "SystemExit")
"""What leaves a loop, whoever raises it."""

ACTIONS: dict[str, ActionSpec] = {
    "future": spec("label", "create_future()"),
    "on_done": spec("label label body value?", "future.add_done_callback(callback)"),
    "resolve": spec("label", "future.set_result(None)"),
    "cancel_future": spec("label text?", "future.cancel(message)"),
    "task": spec(
        "label body count?",
        "create_task of a coroutine with these steps that swallows `count` cancellations",
        steps=True,
    ),
    "fail_future": spec("label", "future.set_exception(ValueError)"),
    "gather": spec(
        "label text label label? label?",
        "gather() of those futures and tasks, which is a future too; 'all outcomes': return_exceptions=True",
        *("first error", "all outcomes"),
    ),
    "shield": spec("label label", "shield() of that future or task, which is a future too"),
    "uncancel": spec("label", "task.uncancel()"),
    "cancel_task": spec("label text?", "task.cancel(message)"),
    "await": spec("label", "inside a task: await that future", place="task"),
    "yield": spec("", "inside a task: await asyncio.sleep(0)", place="task"),
    "pause": spec("ms", "inside a task: await asyncio.sleep(ms / 1000)", place="task"),
    "fails": spec("", "inside a task: raise ValueError", place="task"),
    "leaves": spec("text", "inside a task: raise that, which ends the run", *LEAVING, place="task"),
}
