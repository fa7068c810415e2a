"""The loop as gevent's hub knows it: watchers, callbacks, errors, life and death.

gevent finds the module-level names by way of ``gevent.core``.
"""

from __future__ import annotations

import selectors
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import metadata
from time import monotonic
from types import TracebackType
from typing import Any

from gevent._interfaces import ICallback, ILoop
from gevent.exceptions import HubDestroyed
from zope.interface import classImplements

from ...selectors_impl import backends, open_selector
from .callbacks import Callback
from .children import Child, Children
from .files import Io, events_to_str
from .paths import Stat
from .process import loops, take_original_calls
from .signals import Signal, Signals
from .timers import Timer
from .turns import Turns
from .watchers import MAXPRI, MINPRI, READ, WRITE, Async, Check, Fork, Idle, Prepare

__all__ = ["READ", "WRITE", "Loop", "get_header_version", "get_version", "loop", "supported_backends", "time"]

_events_to_str = events_to_str  # the name it has in gevent's own loops
time = monotonic


class Loop(Turns):
    """A loop for gevent (``gevent._interfaces.ILoop``) on any selector of muxloop's.

    ``flags`` are names of backends in order of preference, a list or with commas between, as gevent hands
    them on from GEVENT_BACKEND; None means MUXLOOP_BACKEND or the best one. ``default`` is false for the
    loops of threads, on which gevent allows no child watchers. BackendUnavailableError if none can be had,
    TypeError for libev's numbers, NotImplementedError on Windows.
    """

    MINPRI, MAXPRI = MINPRI, MAXPRI
    approx_timer_resolution = 1e-5
    error_handler: Any = None

    def __init__(self, flags: str | Sequence[str] | None = None, default: bool | None = None) -> None:
        if sys.platform == "win32":
            raise NotImplementedError(
                "muxloop's loop for gevent needs POSIX; leave GEVENT_LOOP unset on Windows"
            )
        take_original_calls()
        super().__init__(open_selector(_names(flags), actor="GEVENT_BACKEND"))
        self._default = default is None or bool(default)
        self._signals = Signals(self)
        self._children = Children(self)
        loops.add(self)

    def destroy(self) -> bool:
        """Free what the loop holds; whether there was something left to free."""
        if self._destroyed:
            return False
        self._destroyed = True
        loops.discard(self)
        self._children.close()
        self._signals.close()
        self._registrations.clear()
        self._timers.clear()
        for queue in (self._callbacks, self._sent, self._due, *self._queues):
            queue.clear()
        self._selector.close()
        self._waker.close()
        return True

    def reinit(self) -> None:
        """Called in a forked child. The fork was noticed before: this has the fork watchers called."""
        self._forked = True

    @property
    def default(self) -> bool:
        """Whether this is the loop of the main thread; false once destroyed."""
        return self._default and not self._destroyed

    @property
    def ptr(self) -> selectors.BaseSelector | None:
        """What stands for gevent's pointer to a native loop: the selector; None once destroyed."""
        return None if self._destroyed else self._selector

    @property
    def backend(self) -> str:
        """The name of the selector."""
        return str(getattr(self._selector, "name", type(self._selector).__name__))

    def fileno(self) -> int | None:
        """The selector's descriptor; None if it has none. It may change, as that of an epoll set does."""
        return None if self._destroyed else _fileno(self._selector)

    # Time.

    def now(self) -> float:
        """The time of the last wait, in seconds of ``time.monotonic``."""
        return self._now

    def update_now(self) -> None:
        """Have ``now()`` tell the time of this call."""
        self._now = monotonic()

    # Callbacks.

    def run_callback(self, func: Callable[..., object], *args: Any) -> Callback:
        """Call ``func(*args)`` in this turn of the loop or in the next, in FIFO order.

        Safe in signal handlers, and in threads as long as the loop lives. ValueError once it is destroyed.
        """
        if self._destroyed:
            self._require_intact()
        entry = Callback(func, args)
        self._callbacks.append(entry)
        if self._waker.armed:
            self._waker.wake()
        return entry

    run_callback_threadsafe = run_callback

    # Watchers.

    def io(self, fd: int, events: int, ref: bool = True, priority: int | None = None) -> Io:
        """Watch a file. ValueError for a negative number, OSError (EBADF) for one that is not open."""
        return Io(self, fd, events, ref, priority)

    def closing_fd(self, fd: int) -> bool:
        """Wake whoever waits for a file that is about to be closed; whether there is anybody."""
        registration = self._registrations.find(fd)
        if registration is None:
            return False
        registration.is_closing = True
        if not registration.watchers:
            self._registrations.narrow(registration)
            return False
        before = self.pendingcnt
        for watcher in registration.watchers:
            self._feed(watcher, watcher.events)
        return self.pendingcnt > before

    def timer(
        self, after: float, repeat: float = 0.0, ref: bool = True, priority: int | None = None
    ) -> Timer:
        """Fire in ``after`` seconds, then every ``repeat`` seconds. ValueError if ``repeat`` is negative."""
        return Timer(self, after, repeat, ref, priority)

    def signal(self, signum: int, ref: bool = True, priority: int | None = None) -> Signal:
        """Watch for a signal. ValueError if there is none of that number."""
        return Signal(self, signum, ref, priority)

    def idle(self, ref: bool = True, priority: int | None = None) -> Idle:
        """Fire when there is nothing else to do."""
        return Idle(self, ref, priority)

    def prepare(self, ref: bool = True, priority: int | None = None) -> Prepare:
        """Fire before each wait."""
        return Prepare(self, ref, priority)

    def check(self, ref: bool = True, priority: int | None = None) -> Check:
        """Fire after each wait."""
        return Check(self, ref, priority)

    def fork(self, ref: bool = True, priority: int | None = None) -> Fork:
        """Fire in a forked child."""
        return Fork(self, ref, priority)

    def async_(self, ref: bool = True, priority: int | None = None) -> Async:
        """Fire when another thread says so."""
        return Async(self, ref, priority)

    locals()["async"] = async_

    def child(self, pid: int, trace: int = 0, ref: bool = True) -> Child:
        """Watch a child process; 0 for any. TypeError if this is not the default loop."""
        return Child(self, pid, trace, ref)

    def stat(
        self, path: str | bytes, interval: float = 0.0, ref: bool = True, priority: int | None = None
    ) -> Stat:
        """Look at a path every ``interval`` seconds."""
        return Stat(self, path, interval, ref, priority)

    def install_sigchld(self) -> None:
        """Called before a child is made: its status will be there to be collected."""
        self._children.expect()

    def reset_sigchld(self) -> None:
        """Called when a program has set SIGCHLD to SIG_DFL or SIG_IGN itself."""

    def ref(self) -> None:
        """Keep the loop running until ``unref()``."""
        self._refs += 1

    def unref(self) -> None:
        """Undo ``ref()``."""
        self._refs -= 1

    def verify(self) -> None:
        """Nothing: libev checks its own state here."""

    # Errors.

    def handle_error(
        self,
        context: object,
        type: type[BaseException],  # noqa: A002 - gevent's name for it
        value: BaseException,
        tb: TracebackType | None,
    ) -> None:
        """Hand what a callback raised to ``error_handler``, the hub; without one, print it and stop running.

        HubDestroyed, which a hub that dies throws into itself, ends the run.
        """
        if type is HubDestroyed:
            self._callbacks.clear()
            self.break_()
            return
        handler = self.error_handler
        if handler is None:
            traceback.print_exception(type, value, tb)
            self.break_()
        else:
            # Asked for each time: gevent lets programs replace it on the hub.
            getattr(handler, "handle_error", handler)(context, type, value, tb)

    def _report(self, context: object, error: BaseException) -> None:
        try:
            self.handle_error(context, type(error), error, error.__traceback__)
        except HubDestroyed:  # thrown in while the handler had switched to the main greenlet
            self._callbacks.clear()
            self.break_()
        except BaseException:
            # What is left must not end the turn: neither is there anybody else to tell.
            with suppress(BaseException):
                sys.stderr.write("Exception while handling another error:\n")
                traceback.print_exc()

    def _require_intact(self) -> None:
        if self._destroyed:
            raise ValueError("operation on destroyed loop: make a new one")

    def _switch_interval(self) -> float:
        from gevent import getswitchinterval  # gevent is being imported when we are

        return float(getswitchinterval())

    def _fork_happened(self) -> None:
        self._forked = True
        self._children.forget_parent()

    # What is printed.

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x} {self._format()}>"

    def _format(self) -> str:
        if self._destroyed:
            return "destroyed"
        parts = [f"backend={self.backend}", *(["default"] if self._default else [])]
        parts += [f"pending={self.pendingcnt}", f"ref={self.activecnt}"]
        fd = self.fileno()
        parts += [] if fd is None else [f"fileno={fd}"]
        return " ".join([*parts, f"callbacks={len(self._callbacks)}"])


classImplements(Loop, ILoop)
classImplements(Callback, ICallback)

loop = Loop


def get_version() -> str:
    """What gevent prints as the version of its loop."""
    return f"muxloop-{metadata.version('muxloop')}"


get_header_version = get_version


def supported_backends() -> list[str]:
    """The names that can be given as ``flags``."""
    return [backend.name for backend in backends() if backend.available]


def _names(flags: str | Sequence[str] | None) -> str | None:
    if flags is None or isinstance(flags, str):
        return flags
    try:
        return ",".join(flags)
    except TypeError:
        raise TypeError(f"flags={flags!r}: give names of backends, such as 'poll', or None") from None


def _fileno(selector: selectors.BaseSelector) -> int | None:
    fileno = getattr(selector, "fileno", None)
    return None if fileno is None else int(fileno())
