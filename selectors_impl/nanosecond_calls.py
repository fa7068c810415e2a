"""epoll_pwait2(2) and ppoll(2), by ctypes: the waits in nanoseconds that Python's ``select`` does not make.

They only tell that something is ready. What it is, the library's own call finds out without waiting, so
no C structure is taken apart here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from array import array

_NS_PER_S = 1_000_000_000

# The number is the same on every architecture that Python is run on, unlike those of older calls.
_SYS_EPOLL_PWAIT2 = ctypes.c_long(441)


class _KernelTimespec(ctypes.Structure):
    """``struct __kernel_timespec``: 64 bits also where a C long has 32."""

    _fields_ = (("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_int64))


class _Timespec(ctypes.Structure):
    """``struct timespec`` of the symbols without a suffix, which keep a C long for old programs."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc["syscall"]
# Without argtypes: they make a call of so many arguments half as long again.  So an argument that is wider
# than an int, or may lie on the stack, is a ctypes object.
_syscall.restype = ctypes.c_long
# Elsewhere a 32-bit long may not be what the symbol takes, and a misread time would be a wait of years.
_takes_longs = sys.platform == "linux" or ctypes.sizeof(ctypes.c_long) == 8
_ppoll = _libc["ppoll"] if _takes_longs and hasattr(_libc, "ppoll") else None
if _ppoll is not None:
    _ppoll.restype = ctypes.c_int
    _ppoll.argtypes = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_void_p)

# One event; nobody reads it, so all selectors and threads may share it.
_event = ctypes.create_string_buffer(16)
_size_of_no_mask = ctypes.c_size_t(0)


def epoll_pwait2(epoll_fd: int, seconds: float) -> bool:
    """See ``kernel.epoll_pwait2``."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    limit = _KernelTimespec(*divmod(int(seconds * _NS_PER_S), _NS_PER_S))
    return _is_ready(
        _syscall(_SYS_EPOLL_PWAIT2, epoll_fd, _event, 1, ctypes.byref(limit), None, _size_of_no_mask)
    )


def ppoll(files: array[int], seconds: float) -> bool:
    """See ``kernel.ppoll``."""
    if _ppoll is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    address, length = files.buffer_info()
    limit = _Timespec(*divmod(int(seconds * _NS_PER_S), _NS_PER_S))
    return _is_ready(_ppoll(address, length // 2, ctypes.byref(limit), None))


def _is_ready(answer: int) -> bool:
    if answer >= 0:
        return answer > 0
    error = ctypes.get_errno()
    if error == errno.EINTR:
        return False
    raise OSError(error, os.strerror(error))
