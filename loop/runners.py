"""Making a loop, and running a coroutine on one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from ..selectors_impl import open_selector
from .clock import Clock
from .event_loop import EventLoop

T = TypeVar("T")


def new_event_loop(backend: str | None = None, *, clock: Clock | None = None) -> EventLoop:
    """A new event loop on the named backend; None: MUXLOOP_BACKEND, or the best there is.

    BackendUnavailableError if it cannot be had.
    """
    return EventLoop(open_selector(backend), clock)


def run(coro: Coroutine[Any, Any, T], *, backend: str | None = None, debug: bool | None = None) -> T:
    """Run ``coro`` on a new muxloop event loop and return its result; otherwise as ``asyncio.run``.

    >>> import asyncio, muxloop
    >>> muxloop.run(asyncio.sleep(0, "done"), backend="poll")
    'done'
    """
    with asyncio.Runner(debug=debug, loop_factory=partial(new_event_loop, backend)) as runner:
        return runner.run(coro)
