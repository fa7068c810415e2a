"""What runs next: the asyncio event loop on top of the selectors."""

from .clock import VirtualClock
from .event_loop import EventLoop
from .policy import EventLoopPolicy
from .runners import new_event_loop, run

__all__ = ["EventLoop", "EventLoopPolicy", "VirtualClock", "new_event_loop", "run"]
