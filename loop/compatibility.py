"""Parts of CPython's loop that are private there, and that programs touch all the same.

What such a program asks is answered from what this loop keeps in its own way; nothing here is used by the
loop, and nothing is stored for it. docs/compatibility.md tells who touches what, and what is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from .files import Files
from .handles import Handle, TimerHandle
from .readiness import fileno
from .signals import Signals


class Compatibility(Files, Signals):
    """The private names of ``asyncio.SelectorEventLoop`` that others rely on."""

    @property
    def _scheduled(self) -> list[TimerHandle]:
        """The timers that are armed, earliest first. A list of its own: changing it changes nothing.

        Home Assistant's tests run what is due in it; others print its length.
        """
        armed = [handle for handle in self._timers if not handle.cancelled()]
        return sorted(armed, key=TimerHandle.when)

    @property
    def _signal_handlers(self) -> dict[int, Handle]:
        """The handlers in place by signal, each in a handle that outlives its replacement.

        prompt_toolkit looks at SIGWINCH before it puts in its own, and puts back what it saw.
        """
        return {
            sig: Handle(handle._callback, handle._args, self, handle._context)
            for sig, handle in self._handler_of_signal.items()
            if handle._callback is not None
        }

    @property
    def _csock(self) -> Any:
        """The sending socket of the waking pair, of the class that ``wakeup.py`` takes.

        Programs write a byte to it to wake the loop, or hand its number to ``signal.set_wakeup_fd``.
        """
        return self._waker._sender

    def _write_to_self(self) -> None:
        """Let the loop look at its queue, after a ``call_soon`` of another thread; any thread may call it."""
        self._waker.wake()

    def _run_once(self) -> None:
        """One turn of the loop: wait for something to do, and do it.

        For those who turn the loop themselves, from a GUI's for instance. As in CPython, the caller sees to
        ``asyncio._set_running_loop``, and is not called by the loop: the batch under way counts on its
        handles, and ends in an IndexError when they were run by somebody else.
        """
        self._check_closed()
        ready, timers = self._ready, self._timers
        if not ready or self._readiness.interests or self._must_poll:
            self._poll()
        timers.take_due(self._now(), ready)
        self._run_batch(len(ready))

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> Handle:
        """``add_reader`` also for the file of a transport, as aiozmq's transports use it; the handle."""
        return self._add(fd, EVENT_READ, callback, args)

    def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> Handle:
        """``add_writer`` also for the file of a transport; the handle."""
        return self._add(fd, EVENT_WRITE, callback, args)

    def _add(self, fd: Any, events: int, callback: Callable[..., object], args: tuple[Any, ...]) -> Handle:
        self._check_closed()
        handle = Handle(callback, args, self)
        self._readiness.add(fd, fileno(fd), events, handle)
        return handle

    def _remove_reader(self, fd: Any) -> bool:
        """``remove_reader`` also for the file of a transport, and for one that is closed already."""
        return self._readiness.remove(self._readiness.number_of(fd), EVENT_READ)

    def _remove_writer(self, fd: Any) -> bool:
        """``remove_writer`` also for the file of a transport, and for one that is closed already."""
        return self._readiness.remove(self._readiness.number_of(fd), EVENT_WRITE)
