"""Runs, their end, exception handlers, executors, forks."""

from __future__ import annotations

from .spec import ActionSpec, spec

ATTEMPTS = (
    *("call_soon", "call_soon_threadsafe", "call_later", "call_at", "run_in_executor"),
    *("run_forever", "run_until_complete", "another loop", "another loop with threads"),
    *("is_running", "is_closed", "time"),
)
"""Calls on a loop whose result or error is noted."""

ACTIONS: dict[str, ActionSpec] = {
    "debug": spec("", "set_debug(True)"),
    "run": spec("", "run_forever() until nothing is left to happen", place="outermost"),
    "run_until": spec("label", "run_until_complete(future or task)", place="outermost"),
    "stop": spec("", "stop()"),
    "close": spec("", "close()"),
    "attempt": spec("text", "try that method of the loop and note what it returned or raised", *ATTEMPTS),
    "handler": spec(
        "text", "set_exception_handler: 'note', 'raise' (a broken handler) or 'none'", "note", "raise", "none"
    ),
    "executor": spec("label", "run_in_executor a job that waits until it is released"),
    "release": spec("label", "let that job end"),
    "fork": spec("", "fork; the child looks at its running loop, closes the loop and exits"),
    "measure": spec("text", "note open fds, threads, CPU time, memory and context switches under that name"),
}
