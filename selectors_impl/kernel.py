"""The system calls that the backends make, in one namespace, so that a test can put another in its place.

What ``select`` has is here as far as this Python has it. Two calls that it lacks wait in nanoseconds, where
its ``epoll.poll`` and ``poll.poll`` count milliseconds: epoll_pwait2(2) and ppoll(2).
"""

from __future__ import annotations

import errno
import functools
import select as _select
from array import array
from os import fstat
from types import ModuleType

__all__ = ["epoll_pwait2", "fstat", "ppoll", "require_open"]

for _name in ("epoll", "kevent", "kqueue", "poll", "select"):
    if hasattr(_select, _name):
        globals()[_name] = getattr(_select, _name)

try:
    from fcntl import F_GETFD, fcntl
except ImportError:  # Windows, where only sockets can be watched, and select tells
    pass
else:

    def require_open(fd: int) -> None:
        """OSError (EBADF) unless the number is an open file's; OverflowError when it cannot be one."""
        fcntl(fd, F_GETFD)


def epoll_pwait2(epoll_fd: int, seconds: float) -> bool:
    """Wait *seconds* for something in the epoll set to be ready, and tell whether it is: epoll_pwait2(2).

    A signal ends the wait early. OSError as the kernel raises it: ENOSYS before Linux 5.11, in emulators and
    without ctypes, EPERM where a filter of system calls does not know it.
    """
    return bool(_nanosecond_calls().epoll_pwait2(epoll_fd, seconds))


def ppoll(files: array[int], seconds: float) -> bool:
    """Wait *seconds* for one of *files* to be ready, and tell whether one is: ppoll(2).

    *files* holds ``struct pollfd`` as ``poll_bits.pollfds`` makes it. A signal ends the wait early. OSError
    as the kernel raises it, ENOSYS where the C library has no such function and without ctypes.
    """
    return bool(_nanosecond_calls().ppoll(files, seconds))


@functools.cache
def _nanosecond_calls() -> ModuleType:
    # Imported at the first wait that a timer ends: ctypes takes 4 ms, and most waits end with an event.
    try:
        from . import nanosecond_calls
    except ImportError as error:
        raise OSError(errno.ENOSYS, f"no ctypes: {error}") from None
    return nanosecond_calls
