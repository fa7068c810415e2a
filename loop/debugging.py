"""What debug mode checks and says.

Source: https://docs.python.org/3/library/asyncio-dev.html#debug-mode
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys

from .handles import Callback


def is_debug_default() -> bool:
    """Whether a new loop starts in debug mode: ``python -X dev`` or PYTHONASYNCIODEBUG."""
    return sys.flags.dev_mode or (
        not sys.flags.ignore_environment and bool(os.environ.get("PYTHONASYNCIODEBUG"))
    )


def examine_callback(callback: object, method: str) -> None:
    """TypeError if ``callback`` cannot be called, or calling it would only make a coroutine."""
    if inspect.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
        raise TypeError(f"coroutines cannot be used with {method}(), got {callback!r}: use create_task()")
    if not callable(callback):
        raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")


def describe_running(handle: asyncio.Handle, callback: Callback) -> str:
    """What ran: the task if it was a task's step, else the handle."""
    owner = getattr(callback, "__self__", None)
    return repr(owner if isinstance(owner, asyncio.Task) else handle)
