"""The bits of poll(2), which epoll shares, and the events of ``selectors`` that they stand for.

Names are looked up with a default, because Windows has none and the backends must be importable
there to be probed.
"""

from __future__ import annotations

import select
import sys
from array import array
from collections.abc import Iterable
from itertools import product
from selectors import EVENT_READ, EVENT_WRITE

IN: int = getattr(select, "POLLIN", 1)
OUT: int = getattr(select, "POLLOUT", 4)
NVAL: int = getattr(select, "POLLNVAL", 32)
_PRI: int = getattr(select, "POLLPRI", 2)
_ERR: int = getattr(select, "POLLERR", 8)
_HUP: int = getattr(select, "POLLHUP", 16)

# What to ask for.
BITS = {EVENT_READ: IN, EVENT_WRITE: OUT, EVENT_READ | EVENT_WRITE: IN | OUT}

# What an answer means before it is masked by what was registered: errors and hang-ups come unasked
# and count for both directions, or nobody would learn of them (twisted 2809).  POLLNVAL is in no entry.
EVENTS = {
    i | p | o | e | h: (EVENT_READ if i or p or e or h else 0) | (EVENT_WRITE if o or e or h else 0)
    for i, p, o, e, h in product((0, IN), (0, _PRI), (0, OUT), (0, _ERR), (0, _HUP))
}

# `events` and `revents` of struct pollfd, two shorts, are written as one integer, the second as zero.
_EVENTS_SHIFT = 0 if sys.byteorder == "little" else 16


def pollfds(questions: Iterable[tuple[int, int]]) -> array[int]:
    """An array of ``struct pollfd`` for (number, bits), in two integers each."""
    return array("i", (word for fd, bits in questions for word in (fd, bits << _EVENTS_SHIFT)))
