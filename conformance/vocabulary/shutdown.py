"""What a loop ends in good order: asynchronous generators left half-way, and its default executor."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "agen": spec(
        "label count text",
        "make an asynchronous generator of `count` values whose finally clause is plain, awaits or raises",
        *("plain", "awaits", "raises"),
    ),
    "iterate": spec("label", "a task takes one value of that generator"),
    "drop_agen": spec("label", "forget that generator"),
    "shutdown_asyncgens": spec("", "run_until_complete(loop.shutdown_asyncgens())", place="outermost"),
    "shutdown_executor": spec(
        "ms?", "run_until_complete(loop.shutdown_default_executor(timeout))", place="outermost"
    ),
}
