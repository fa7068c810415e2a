"""Interchangeable I/O multiplexers, one asyncio event loop on top, and a suite that judges every loop."""

from muxloop.loop.clock import VirtualClock
from muxloop.loop.event_loop import EventLoop
from muxloop.loop.policy import EventLoopPolicy
from muxloop.loop.runners import new_event_loop, run
from muxloop.selectors_impl import backends, open_selector

__version__ = "0.1.0"
__all__ = [
    "EventLoop",
    "EventLoopPolicy",
    "VirtualClock",
    "backends",
    "new_event_loop",
    "open_selector",
    "run",
]
