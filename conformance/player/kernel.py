"""Asks the kernel what one file is ready for, alone and without a selector's help."""

from __future__ import annotations

import select
import selectors

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def readiness(number: int) -> tuple[int, int]:
    """What the file must, and what it may, be called ready for by whoever waits both to read and to write.

    By poll(2), or select(2) where that is missing. A hang-up alone may or may not count as writable:
    select(2) keeps it from those who only wait to write.
    """
    if not hasattr(select, "poll"):
        readable, writable, broken = select.select([number], [number], [number], 0)
        mask = (READ if readable else 0) | (WRITE if writable or broken else 0)
        return mask, mask
    poller = select.poll()
    poller.register(number, select.POLLIN | select.POLLOUT)
    must = may = 0
    for _, events in poller.poll(0):
        if events & ~select.POLLOUT:
            must |= READ
        if events & (select.POLLOUT | select.POLLERR | select.POLLNVAL):
            must |= WRITE
        may = must | (WRITE if events & select.POLLHUP else 0)
    return must, may
