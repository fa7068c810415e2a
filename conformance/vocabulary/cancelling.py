"""What cancels tasks or waits for those that were: timeouts, wait_for, wait, groups."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "timeout": spec(
        "label timeout body text?",
        "inside a task: async with timeout(ms / 1000), or timeout_at ('at'), around these steps",
        *("after", "at"),
        place="task",
        steps=True,
    ),
    "reschedule": spec("label timeout", "give the timeout of that label, if there is one, a new deadline"),
    "wait_for": spec(
        "label timeout", "inside a task: await wait_for(that future or task, ms / 1000)", place="task"
    ),
    "wait": spec(
        "text timeout label label? label?",
        "inside a task: await wait(those futures and tasks, timeout=ms / 1000)",
        *("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"),
        place="task",
    ),
    "group": spec(
        "label body", "inside a task: async with TaskGroup() around these steps", place="task", steps=True
    ),
    "group_task": spec(
        "label label body count?",
        "create_task, in the group of the second label, of a coroutine with these steps that swallows "
        "`count` cancellations",
        steps=True,
    ),
}
