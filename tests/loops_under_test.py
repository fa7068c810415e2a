"""The loops that every test of the loop runs on: one per available backend, and one on a foreign selector."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from muxloop import EventLoop, open_selector
from muxloop.conformance.tolerance import tolerance
from muxloop.loop.clock import Clock

SELECTORS: dict[str, Callable[[], selectors.BaseSelector]] = {"stdlib": selectors.DefaultSelector}
for _name in ("epoll", "kqueue", "poll", "select", "uring"):
    try:
        open_selector(_name).close()
    except RuntimeError:
        continue
    SELECTORS[_name] = partial(open_selector, _name)

OURS = [name for name in SELECTORS if name != "stdlib"]


def new_loop(selector: str, clock: Clock | None = None) -> EventLoop:
    """A loop on the named selector."""
    return EventLoop(SELECTORS[selector](), clock)


def opened(selector: str, clock: Clock | None = None) -> Iterator[EventLoop]:
    """For a fixture: a loop that is closed after the test."""
    loop = new_loop(selector, clock)
    yield loop
    loop.close()


def run_in_time(loop: EventLoop, coroutine: Coroutine[Any, Any, object]) -> None:
    """Run it in a task of its own and no other; TimeoutError when it has not ended in 20 ordinary seconds."""

    async def in_time() -> None:
        async with asyncio.timeout(20 * tolerance()):
            await coroutine

    loop.run_until_complete(in_time())


def turn(loop: EventLoop, times: int = 1) -> None:
    """Let the loop poll without waiting and run one batch."""
    for _ in range(times):
        loop.stop()
        loop.run_forever()
