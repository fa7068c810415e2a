"""Which open file stands behind a number."""

from __future__ import annotations

import os
import sys

Identity = tuple[int, int]


def identify(fd: int) -> Identity | None:
    """What tells one open file from another behind the same number (fstat(2)); None if it is not open.

    Eventfds, timerfds and the like share one inode, and cannot be told apart. On Windows the number of a
    socket is no file descriptor, so the answer is the same for all.
    """
    if sys.platform == "win32":
        return 0, 0
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino
