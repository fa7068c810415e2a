"""The event-loop policy, as long as Python has policies (deprecated in 3.14, gone in 3.16)."""

from __future__ import annotations

import asyncio
from asyncio import events
from typing import TYPE_CHECKING, Any

from .runners import new_event_loop

if TYPE_CHECKING:
    _Base = asyncio.DefaultEventLoopPolicy
else:
    # From 3.14 on the public names warn when they are touched; the private one is the same class.
    _Base = (
        getattr(events, "_BaseDefaultEventLoopPolicy", None)
        or events.__dict__.get("BaseDefaultEventLoopPolicy")
        or object
    )


class EventLoopPolicy(_Base):
    """Makes ``asyncio.new_event_loop()`` return muxloop's loops.

    For ``asyncio.set_event_loop_policy(muxloop.EventLoopPolicy())``. ``backend`` names the selector; None:
    MUXLOOP_BACKEND, or the best there is. RuntimeError where Python has no policies.
    """

    def __init__(self, backend: str | None = None) -> None:
        if _Base is object:
            raise RuntimeError(
                "this Python has no policies: use asyncio.run(…, loop_factory=muxloop.new_event_loop)"
            )
        super().__init__()
        self._backend = backend

    def _loop_factory(self) -> Any:
        return new_event_loop(self._backend)
