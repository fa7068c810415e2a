"""What ``run_callback`` returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Callback:
    """A function that will be called in the loop.

    Source: ``gevent._interfaces.ICallback``. ``pending`` ends when the call begins, truth when it has ended:
    gevent asks for the latter before it schedules a second one.
    """

    __slots__ = ("args", "callback")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args: tuple[Any, ...] | None = args

    def stop(self) -> None:
        """Keep the function from being called."""
        self.callback = self.args = None

    close = stop

    @property
    def pending(self) -> bool:
        """Whether the function is still to be called."""
        return self.callback is not None

    def __bool__(self) -> bool:
        return self.args is not None

    def __repr__(self) -> str:
        state = f"callback={self.callback!r} args={self.args!r}" if self.pending else "stopped"
        return f"<{type(self).__name__} at {id(self):#x} {state}>"
