"""Exceptions that nobody asks for, and what debug mode notices."""

from __future__ import annotations

from .spec import ActionSpec, spec

SCHEDULING_METHODS = ("call_soon", "call_soon_threadsafe", "call_later", "call_at", "run_in_executor")
NO_CALLBACKS = ("a coroutine function", "a coroutine", "a number")
MISUSES = tuple(f"{method} of {thing}" for method in SCHEDULING_METHODS for thing in NO_CALLBACKS)
"""Calls that debug mode refuses."""

ACTIONS: dict[str, ActionSpec] = {
    "failing": spec(
        "label text value?",
        "a task that fails, in a context where the variable is `value`, or a future that has failed",
        *("task", "future"),
    ),
    "ask": spec("label", "ask that task or future for its exception, if it is done"),
    "forget": spec("label", "drop the last reference to that task or future, if it is done"),
    "slow": spec("ms", "loop.slow_callback_duration = ms / 1000"),
    "misuse": spec("text", "schedule what is no callback, and note what that raised", *MISUSES),
}
