"""Interchangeable I/O multiplexers, one asyncio event loop on top, and a suite that judges every loop."""

from muxloop.loop import EventLoop, EventLoopPolicy, VirtualClock, new_event_loop, run
from muxloop.selectors_impl import backends, open_selector

__version__ = "0.1.0"
__all__ = ["EventLoop", "EventLoopPolicy", "VirtualClock"]
__all__ += ["backends", "new_event_loop", "open_selector", "run"]
