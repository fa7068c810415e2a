"""A waker that keeps the GIL.

A thread of gevent's pool tells the loop that a task is done, and only then marks itself as free. Were the GIL
released in between, as every system call of Python's does, the loop would hand out the next task first, and
start one more thread for it. libev writes to its eventfd without releasing it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from ...loop.wakeup import Waker

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class GilHoldingWaker(Waker):
    """A ``Waker`` for CPython with ctypes; a plain one elsewhere."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self._send = self._write

    def _write(self, data: Buffer, flags: int = 0) -> int:
        write = _gil_holding_write()
        if write is None:
            return self._sender.send(data, flags)
        # A full socket refuses the byte, whose errand others do; a closed one has the number -1.
        return write(self._sender.fileno(), bytes(data), len(bytes(data)))


@cache
def _gil_holding_write() -> Callable[[int, bytes, int], int] | None:
    """write(2) by ctypes, which is imported with the first use: it takes 4 ms."""
    if sys.implementation.name != "cpython":
        return None
    try:
        import ctypes

        write = ctypes.PyDLL(None)["write"]
    except (ImportError, OSError, AttributeError):
        return None
    write.restype = ctypes.c_ssize_t
    write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
    return write
