"""Jobs of thread and process pools, and what asks for their results."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "workers": spec("count", "set_default_executor(ThreadPoolExecutor(count))"),
    "not_an_executor": spec("", "set_default_executor(what is none), and note what it raised"),
    "job": spec(
        "label text",
        "run_in_executor(None, a job that returns its label, or raises ValueError)",
        *("result", "error"),
    ),
    "process": spec(
        "label text",
        "run_in_executor(a pool of processes, os.getpid, or what raises ValueError)",
        *("pid", "error"),
    ),
    "to_thread": spec(
        "label text",
        "inside a task: await to_thread(a job that returns its label, raises ValueError, or returns the "
        "context variable)",
        *("result", "error", "value"),
        place="task",
    ),
}
