"""The event loop, put together."""

from __future__ import annotations

import selectors

from ..selectors_impl import open_selector, validated
from .blocked import BlockedThreshold
from .clock import Clock
from .compatibility import Compatibility
from .datagrams import Datagrams
from .executors import Executors
from .processes import Processes
from .slow_polls import SlowPolls
from .tasks import Tasks
from .unix_sockets import UnixSockets


class EventLoop(
    UnixSockets, Datagrams, Processes, Compatibility, Executors, Tasks, BlockedThreshold, SlowPolls
):
    """An asyncio event loop on an interchangeable selector.

    ``selector`` is any ``selectors.BaseSelector``; the loop owns it from now on and closes it. None
    opens the best one, as ``muxloop.open_selector()`` does. ``clock`` is what passes for time; None is
    the machine's monotonic clock.

    Source of its behaviour: https://docs.python.org/3/library/asyncio-eventloop.html
    """

    def __init__(self, selector: selectors.BaseSelector | None = None, clock: Clock | None = None) -> None:
        super().__init__(open_selector() if selector is None else validated(selector), clock)
