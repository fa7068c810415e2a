"""What a driver is: as much of an asyncio event loop as another world can give.

A driver overrides the methods that its world has a counterpart for. The others stay as they are in
``asyncio.AbstractEventLoop``: they raise NotImplementedError, and a rule that needs them is `not-offered`.
"""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

EXCEPTIONS = "the exception handler is asyncio's; here exceptions go to the world's own log"
CONTEXTS = "context variables are carried along by asyncio; this world does not promise it"
ASYNCIO_ERRORS = "which misuse raises what is asyncio's to say; this world documents other errors, or none"
CLOSING = "the driver closes what it drives as well as it can; this world has no such call for programs"


class DriverHandle(asyncio.Handle):
    """What ``call_soon`` returns where the world calls back by itself and gives nothing to cancel by."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(_called_by_the_world, (), loop)

    def cancel(self) -> None:
        """Not offered."""
        raise NotImplementedError("what was scheduled in this way cannot be cancelled")


class DriverTimer(asyncio.TimerHandle):
    """A handle over whatever the world gives to cancel by; ``when`` is in seconds of the driver's clock.

    ``disarm`` is called by the first ``cancel()``, also when the callback has run.
    """

    def __init__(self, when: float, disarm: Callable[[], object], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(when, _called_by_the_world, (), loop)
        self._disarm = disarm

    def cancel(self) -> None:
        """Take the callback back; harmless when it has run or was cancelled."""
        if not self.cancelled():
            self._disarm()
            del self._disarm
            super().cancel()


def _called_by_the_world() -> None:
    """The callback of a handle that asyncio itself never runs."""


class Driver(asyncio.AbstractEventLoop):
    """The base of drivers.

    What the suite cannot do without is ``time``, ``call_later``, ``run_forever``, ``stop``, ``close`` and
    ``is_closed``.
    """

    not_offered: ClassVar[Mapping[str, str]] = {}
    """Rules, by glob, that ask for what this world has calls for and yet never promised; with the reason."""
    settling_s: ClassVar[float | None] = None
    """How long a run has to be quiet to be over, where some callbacks do not mean that I/O was looked at."""

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        """``call_later`` without delay, for worlds that know nothing sooner."""
        return self.call_later(0, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        """``call_later`` by the driver's own clock, for worlds that only know delays; 0 when it is past."""
        timer: Any = self.call_later(max(0.0, when - self.time()), callback, *args, context=context)
        timer._when = when
        return timer

    def set_exception_handler(self, handler: Any) -> None:
        """Taken and never called: every play sets one."""

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """What a cancelled TimerHandle tells its loop."""


class AccountingDriver(Driver):
    """The base of drivers whose world does not tell whether it runs or was closed: it keeps the account.

    A driver over it has ``_run``, which returns when the world was stopped, and ``_release``, which is called
    once and closes the world.
    """

    _running = _closed = False
    _world: ClassVar[str] = "what is driven"
    """What errors call it."""

    def run_forever(self) -> None:
        self._running = True
        try:
            self._run()
        finally:
            self._running = False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """RuntimeError while it runs; harmless the second time."""
        if self._running:
            raise RuntimeError(f"{self._world} runs; stop it first")
        if not self._closed:
            self._closed = True
            self._release()

    @abc.abstractmethod
    def _run(self) -> None: ...

    @abc.abstractmethod
    def _release(self) -> None: ...


def number_of(file: Any) -> int:
    """The descriptor of a file, or of an object with ``fileno``."""
    return file if isinstance(file, int) else int(file.fileno())


def refuse_context(context: object) -> None:
    """NotImplementedError when a callback shall run in a context of its own."""
    if context is not None:
        raise NotImplementedError("this world takes no context= for a callback")
