"""What a loop leaves behind: descriptors, threads, live objects, warnings, and a changed process.

A play that ends in ``leave`` is compared with the process as it was before its loop was made. The
comparison comes when the player is gone, too: only the subject can hold on to anything then.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Mapping
from typing import Any

from ..program import Program
from . import gauges
from .scheduling import Scheduling
from .stage import NAMED

THREADS_END_WITHIN_S = 1.0
"""Threads of an executor end on their own, a little after close()."""


class Leaving(Scheduling):
    """leave."""

    def do_leave(self) -> None:
        """What ran is over and done: not even an open loop has a use for it."""
        self.handles.clear()
        gc.collect()
        ran = {label for _, _, kind, label, _ in self.events if kind == "begin"}
        self.note("leaving", alive=_alive({name: self._watched[name] for name in ran & self._watched.keys()}))

    def remains(self) -> dict[str, tuple[weakref.ref[Any], ...]]:
        """Weak references to the callbacks and arguments of the play, by label."""
        return dict(self._watched)


def _alive(watched: Mapping[str, tuple[weakref.ref[Any], ...]]) -> list[str]:
    names = [name for name, references in watched.items() if any(r() is not None for r in references)]
    return names[:NAMED]


class Before:
    """The process as it was before a loop was made in it."""

    def __init__(self) -> None:
        self._descriptors, self._threads = gauges.open_numbers(), threading.active_count()
        self._settings = _settings()

    def left(
        self,
        watched: Mapping[str, tuple[weakref.ref[Any], ...]],
        warned: list[warnings.WarningMessage],
        tolerance: float,
    ) -> dict[str, Any]:
        """What is there now and was not there before."""
        deadline = time.monotonic() + THREADS_END_WITHIN_S * tolerance
        while threading.active_count() > self._threads and time.monotonic() < deadline:
            time.sleep(0.001)
        gc.collect()  # not before: a thread that is about to end holds on to the player
        settings = _settings()
        return {
            "alive": _alive(watched),
            "descriptors": sorted(gauges.open_numbers() - self._descriptors),
            "threads": sorted(t.name for t in threading.enumerate())[: NAMED + 1]
            if threading.active_count() > self._threads
            else [],
            "warned": [str(w.message) for w in warned if issubclass(w.category, ResourceWarning)][:NAMED],
            "changed": [name for name, value in settings.items() if value != self._settings.get(name)],
        }


def wanted(program: Program) -> bool:
    """Whether this program's leavings are to be looked at."""
    return ("leave",) in program


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
    for number in signal.valid_signals():
        name = number.name if isinstance(number, signal.Signals) else f"signal {number}"
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
