"""Signal handlers that run in the loop.

The interpreter calls our handler in the main thread, between two bytecodes; it queues the callback and
wakes the loop. A loop that waits in its selector is woken by the interpreter's wake-up descriptor, which
the core sets while it runs. So the queue never depends on a byte that a full pipe might refuse.

Each signal has one handle for the life of the loop, and what it calls is put in and taken out: a signal that
waits in the queue reaches the handler that is in place when its turn comes, so that a program that replaces
its handler misses none. In CPython's loop it is the handler at the time the self-pipe is read.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#unix-signals
"""

from __future__ import annotations

import errno
import inspect
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from types import FrameType
from typing import Any

from .core import Core
from .handles import Handle, Ts


class Signals(Core):
    """``add_signal_handler`` and ``remove_signal_handler``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handler_of_signal: dict[int, Handle] = {}  # cancelled: nobody handles the signal now
        self._former_dispositions: dict[int, Any] = {}

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call ``callback(*args)`` in the loop whenever ``sig`` arrives; replaces the former callback.

        TypeError for coroutine functions and signals that are no ints, ValueError if the signal does not
        exist or cannot be caught, RuntimeError outside the main thread or on a closed loop,
        NotImplementedError on Windows.
        """
        _check_signal(sig, "add_signal_handler")
        if inspect.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
            raise TypeError(f"add_signal_handler() takes no coroutines, got {callback!r}")
        self._check_closed()
        handle = self._handler_of_signal.setdefault(sig, Handle(callback, args, self))
        is_first = sig not in self._former_dispositions
        former = handle._callback, handle._args, handle._context
        # Before the disposition changes: a signal that comes in between finds its callback.
        handle._callback, handle._args, handle._context = callback, args, copy_context()
        try:
            disposition = signal.signal(sig, self._signal_arrived)
            signal.siginterrupt(sig, False)  # C code without PEP 475 is spared EINTR
        except (OSError, ValueError) as error:
            if is_first:
                handle.cancel()
            else:
                handle._callback, handle._args, handle._context = former
            if isinstance(error, OSError) and error.errno == errno.EINVAL:
                raise ValueError(f"signal {sig} cannot be caught") from None
            raise RuntimeError(f"signal {sig} cannot be handled here: {error}") from None
        if is_first:
            self._former_dispositions[sig] = disposition

    def remove_signal_handler(self, sig: int) -> bool:
        """Give ``sig`` the disposition it had before. Returns whether there was a handler of this loop.

        Errors as ``add_signal_handler``.
        """
        _check_signal(sig, "remove_signal_handler")
        if sig not in self._former_dispositions:
            return False
        former = self._former_dispositions[sig]
        try:
            # None: a handler that was not set from Python and cannot be set from here.
            signal.signal(sig, signal.SIG_DFL if former is None else former)
        except ValueError as error:
            raise RuntimeError(f"signal {sig} cannot be reset here: {error}") from None
        del self._former_dispositions[sig]
        self._handler_of_signal[sig].cancel()
        return True

    def close(self) -> None:
        """As the rest of the loop's ``close``; every signal gets back its former disposition."""
        super().close()
        if not sys.is_finalizing():
            for sig in list(self._former_dispositions):
                self.remove_signal_handler(sig)

    def _signal_arrived(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        handle = self._handler_of_signal.get(signum)
        if handle is None or handle.cancelled() or self._closed:
            return
        self._ready.append(handle)
        with suppress(OSError):  # being closed at this very moment
            self._waker.wake()


def _check_signal(sig: int, method: str) -> None:
    if sys.platform == "win32":
        raise NotImplementedError(f"{method}(): Windows has no signals that a loop could handle")
    if not isinstance(sig, int):
        raise TypeError(f"{method}() needs a signal number, got {sig!r}")
    if sig not in signal.valid_signals():
        raise ValueError(f"{method}(): there is no signal {sig}")
