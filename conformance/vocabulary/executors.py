"""Jobs of thread and process pools, and what asks for their results."""

from __future__ import annotations

from .spec import ActionSpec, spec

JOBS = ("result", "error", "value")
"""What a job does: return its label, raise ValueError, or return the context variable's value."""

ACTIONS: dict[str, ActionSpec] = {
    "workers": spec("count", "set_default_executor(ThreadPoolExecutor(count))"),
    "not_an_executor": spec("", "set_default_executor of what is none, and note what it raised"),
    "job": spec("label text", "run_in_executor(None, a job of that kind)", *JOBS),
    "process": spec("label text", "run_in_executor(a process pool, a job of that kind)", *JOBS[:2]),
    "to_thread": spec(
        "label text", "inside a task: await to_thread(a job of that kind)", *JOBS, place="task"
    ),
}
