"""Inside a suite's process: puts muxloop's loop where asyncio's would be made, and counts whose loops run.

``install()`` comes before the suite is imported. It makes muxloop's policy the policy, and lets whoever names
``asyncio.SelectorEventLoop``, or goes back to asyncio's default policy, get muxloop's loop, too. A selector
of the standard library that is passed there stands for our backend of that name, so that CPython's tests of
each selector are tests of each backend.

What ran is seen from outside: every loop tells asyncio that it runs, by ``_set_running_loop``.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from asyncio import events, unix_events
from collections import Counter
from typing import Any

import muxloop

_OUR_BACKENDS = {"EpollSelector": "epoll", "PollSelector": "poll", "SelectSelector": "select"}

runs: Counter[str] = Counter()
"""How often a loop of each class ran. Reset by nobody: the difference tells of one test."""


class SelectorEventLoop(muxloop.EventLoop):
    """muxloop's loop under the name, and with the argument, of asyncio's."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        name = _OUR_BACKENDS.get(type(selector).__name__)
        if name is not None and selector is not None:
            selector.close()
            # Who asks for a backend by the environment wants all tests on it.
            selector = muxloop.open_selector(None if os.environ.get("MUXLOOP_BACKEND") else name)
        super().__init__(selector)


def install(loop: str) -> None:
    """Let asyncio make loops of ``loop``: muxloop, or asyncio as it comes; count them either way."""
    _count_runs()
    if loop == "asyncio":
        return

    # From 3.14 on the public names warn when they are touched, and asyncio itself goes by the private ones.
    private = hasattr(unix_events, "_DefaultEventLoopPolicy")
    base: Any = unix_events._DefaultEventLoopPolicy if private else asyncio.DefaultEventLoopPolicy

    class DefaultEventLoopPolicy(base):
        """asyncio's own, child watchers and all, with muxloop's loops."""

        _loop_factory = SelectorEventLoop

    if private:
        unix_events._DefaultEventLoopPolicy = DefaultEventLoopPolicy
    asyncio.DefaultEventLoopPolicy = DefaultEventLoopPolicy  # type: ignore[misc]
    asyncio.SelectorEventLoop = SelectorEventLoop  # type: ignore[assignment,misc]
    if hasattr(asyncio, "EventLoop"):
        asyncio.EventLoop = SelectorEventLoop
    set_policy = events._set_event_loop_policy if private else asyncio.set_event_loop_policy
    set_policy(muxloop.EventLoopPolicy())


def ours(counted: Counter[str]) -> int:
    """How many of the runs were of muxloop's loop, or of a class derived from it."""
    return sum(count for name, count in counted.items() if name.startswith(MARK))


MARK = "muxloop: "
"""What the names of muxloop's loops begin with, wherever their class was written."""


def _count_runs() -> None:
    tell = events._set_running_loop

    def set_running_loop(loop: Any) -> None:
        if loop is not None:
            kind = type(loop)
            name = f"{kind.__module__}.{kind.__qualname__}"
            runs[MARK + name if isinstance(loop, muxloop.EventLoop) else name] += 1
        tell(loop)

    asyncio._set_running_loop = events._set_running_loop = set_running_loop
