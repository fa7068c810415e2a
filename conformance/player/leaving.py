"""What a loop leaves behind: descriptors, threads, live objects, warnings, and a changed process.

After every play the process is compared with what it was before the loop was made. The comparison comes
when the player is gone, too: only the subject can hold on to anything then. What a program still had open
when its loop was closed, a transport for instance, is its own: of that nothing is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

from ..program import Program
from ..vocabulary.leaving import LEAVE
from . import gauges
from .scheduling import COUNTING
from .stage import NAMED
from .threads import Threads

_SIGNALS = {
    int(number): number.name if isinstance(number, signal.Signals) else f"signal {number}"
    for number in signal.valid_signals()
}
THREADS_END_WITHIN_S = 1.0
"""Threads of an executor end on their own, a little after close()."""
THREADS_STAY_S = 0.05
"""The same where threads have outlasted a play of this process; a finding is confirmed in a fresh one."""


class Leaving(Threads):
    """leave."""

    def do_leave(self) -> None:
        """What ran is over and done: not even an open loop has a use for it."""
        self.join_threads()  # one that has yet to return from what it called holds on to that
        self.handles.clear()
        gc.collect()
        ran = {label for _, _, kind, label, _ in self.events if kind == "begin"}
        self.note("leaving", alive=_alive({name: self._watched[name] for name in ran & self._watched.keys()}))

    def remains(self) -> dict[str, list[weakref.ref[Any]]]:
        """Weak references to the callbacks and arguments of the play, by label."""
        remains = {name: list(references) for name, references in self._watched.items()}
        for name, references in self._entrusted.items():
            remains.setdefault(name, []).extend(references)
        return remains

    def forsaken_loop(self) -> asyncio.AbstractEventLoop:
        """The loop, closed, and without the exception handler that leads back to the player."""
        with contextlib.suppress(Exception):  # what it says of that is for others to judge
            self.loop.set_exception_handler(None)
        return self.loop


def _alive(watched: Mapping[str, Iterable[weakref.ref[Any]]]) -> list[str]:
    names = [name for name, references in watched.items() if any(r() is not None for r in references)]
    return names[:NAMED]


_outlasted: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


class Before:
    """The process as it was before a loop was made in it."""

    def __init__(self) -> None:
        self._descriptors, self._threads = gauges.open_numbers(), set(threading.enumerate())
        self._settings = _settings()

    def left(
        self,
        loops: list[asyncio.AbstractEventLoop],
        watched: Mapping[str, Iterable[weakref.ref[Any]]],
        warned: list[warnings.WarningMessage],
        tolerance: float,
    ) -> dict[str, Any]:
        """What is there now and was not there before; takes the closed loop out of its list and drops it."""
        self._await_threads((THREADS_STAY_S if _outlasted else THREADS_END_WITHIN_S) * tolerance)
        held = _alive(watched)  # not before: a thread that is about to end holds on to the player
        if held:
            gc.collect()
            held = _alive(watched)
        loops.clear()
        gc.collect()
        settings = _settings()
        return {
            "held": held,
            "alive": _alive(watched),
            "descriptors": sorted(gauges.open_numbers() - self._descriptors),
            "threads": sorted(thread.name for thread in self._new_threads())[:NAMED],
            "warned": [str(w.message) for w in warned if issubclass(w.category, ResourceWarning)][:NAMED],
            "changed": [name for name, value in settings.items() if value != self._settings.get(name)],
        }

    def _await_threads(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        for thread in self._new_threads():
            with contextlib.suppress(RuntimeError, AssertionError):  # a thread that Python did not start
                thread.join(max(0.0, deadline - time.monotonic()))
        _outlasted.update(self._new_threads())

    def _new_threads(self) -> set[threading.Thread]:
        return set(threading.enumerate()) - self._threads


def wanted(program: Program) -> bool:
    """Whether this program's leavings are to be looked at: all, but where it takes long to collect them."""
    return COUNTING or asked_for(program)


def asked_for(program: Program) -> bool:
    """Whether the program itself leaves its loop."""
    return LEAVE in program


def _settings() -> dict[str, Any]:
    """What a process has once, and a loop might forget to put back."""
    settings: dict[str, Any] = {
        "sys.excepthook": sys.excepthook,
        "sys.unraisablehook": sys.unraisablehook,
        "threading.excepthook": threading.excepthook,
        "sys.stdin": sys.stdin,
        "sys.stdout": sys.stdout,
        "sys.stderr": sys.stderr,
        "the trace function": sys.gettrace(),
        "the profile function": sys.getprofile(),
        "the hooks of asynchronous generators": tuple(sys.get_asyncgen_hooks()),
        "the switch interval": sys.getswitchinterval(),
        "the running loop": asyncio._get_running_loop(),
        "the wake-up file of signals": _wakeup_number(),
        "the current folder": os.getcwd(),
        "the environment": dict(os.environ),
        "time.sleep": time.sleep,
        "socket.socket": socket.socket,
    }
    for number, name in _SIGNALS.items():
        settings[f"the handler of {name}"] = signal.getsignal(number)
    return settings


def _wakeup_number() -> int:
    """signal.set_wakeup_fd can only be asked by setting it."""
    number = signal.set_wakeup_fd(-1)
    try:
        signal.set_wakeup_fd(number, warn_on_full_buffer=False)
    except (ValueError, OSError):
        return -2  # it was closed, and is forgotten now
    return number
