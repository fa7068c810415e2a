"""What the loops for gevent of one process share: its forks, wake-up descriptor and unpatched calls."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ...selectors_impl import kernel

if TYPE_CHECKING:
    from ...loop.wakeup import Waker
    from .loop import Loop

loops: WeakSet[Loop] = WeakSet()
"""Those that were not destroyed."""

_CALLS_OF_SELECT = ("epoll", "kevent", "kqueue", "poll", "select")


def original(module: str, name: str) -> Any:
    """A function of the standard library, not what gevent has put in its place: that one would ask us."""
    from gevent.monkey import get_original  # gevent is being imported when we are

    return get_original(module, name)


def take_original_calls() -> None:
    """Let the selectors make the system calls themselves, even if they were imported after the patching."""
    for name in _CALLS_OF_SELECT:
        with suppress(AttributeError):  # not on this platform
            setattr(kernel, name, original("select", name))


class WakeupDescriptor:
    """The process's ``signal.set_wakeup_fd``, by which C-level signal handlers wake a loop.

    Without it a signal that arrives between the interpreter's last look and the system call leaves the loop
    waiting. The descriptor is the main thread's to set, and somebody else's if it is set.
    """

    def __init__(self) -> None:
        self._ours: int | None = None  # while it is set

    def set(self, waker: Waker) -> bool:
        """Have signals wake a loop; whether that could be had."""
        set_wakeup_fd = original("signal", "set_wakeup_fd")
        try:
            former = set_wakeup_fd(waker.signal_fileno(), warn_on_full_buffer=False)
        except ValueError:  # not the main thread of the main interpreter
            return False
        if former != -1:
            set_wakeup_fd(former, warn_on_full_buffer=False)
            return False
        self._ours = waker.signal_fileno()
        return True

    def unset(self) -> None:
        """Give the descriptor up, if it is still ours."""
        if self._ours is None:
            return
        ours, self._ours = self._ours, None
        set_wakeup_fd = original("signal", "set_wakeup_fd")
        with suppress(ValueError):  # another thread's hub that is thrown out of its loop
            former = set_wakeup_fd(-1)
            if former not in (-1, ours):
                set_wakeup_fd(former, warn_on_full_buffer=False)

    def forget(self) -> None:
        """In a forked child, where the waker has given it up."""
        self._ours = None


wakeup_descriptor = WakeupDescriptor()

# A hub stays inside run() to the end of the program: a signal after that must find no closed descriptor.
atexit.register(wakeup_descriptor.unset)


def _after_fork_in_child() -> None:
    wakeup_descriptor.forget()
    for loop in list(loops):
        loop._fork_happened()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
