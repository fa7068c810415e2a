"""poll(2), and first in turn whoever was served longest ago.

- A number that was closed is reported as POLLNVAL, at once and every time.  So we drop the registration
  and tell: a loop asks ``take_dropped`` after each wait.
- POLLHUP and POLLERR come unasked.  So they count for both directions, masked by what is registered.
- poll(2) takes any number at registration.  So we ask fstat(2), which raises EBADF for one that is not open.
- Timeouts are milliseconds.  So we round up: to wait too short would make a timer spin.
"""

from __future__ import annotations

import math
import os
import select
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey

from muxloop.selectors_impl.interface import Selector, cap_wait, why_probe_failed


class RotaSelector(Selector):
    """A selector on poll that answers in the order of a rota."""

    name = "rota"
    resolution = 1e-3
    interface_version = 1

    @classmethod
    def probe(cls) -> str | None:
        if not hasattr(select, "poll"):
            return "select has no poll"
        try:
            select.poll().poll(0)
        except OSError as error:
            return why_probe_failed("poll", error)
        return None

    def __init__(self) -> None:
        super().__init__()
        self._poll = select.poll()
        self._served: dict[int, int] = {}  # when each number was last reported, counted in waits
        self._waits = 0

    def _add(self, fd: int, events: int) -> None:
        os.fstat(fd)  # raises EBADF
        self._poll.register(fd, _bits(events))

    def _change(self, fd: int, before: int, events: int) -> None:
        os.fstat(fd)
        self._poll.modify(fd, _bits(events))

    def _remove(self, fd: int, events: int) -> None:
        self._poll.unregister(fd)
        self._served.pop(fd, None)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if self._closed:
            raise self._refusal("select")
        if timeout is None:
            wait_ms = None
        elif timeout <= 0:
            wait_ms = 0
        else:
            wait_ms = math.ceil(cap_wait(timeout) * 1e3)
        batch = self._poll.poll(wait_ms)
        if self._closed:  # by another thread
            raise self._refusal("select")
        ready = []
        for fd, bits in batch:
            key = self._keys.get(fd)
            if key is None:
                continue
            if bits & select.POLLNVAL:
                self._remove(fd, key.events)
                self._drop(fd)
                continue
            events = 0
            if bits & ~select.POLLOUT:
                events |= EVENT_READ
            if bits & ~select.POLLIN:
                events |= EVENT_WRITE
            ready.append((key, events & key.events))
        return self._in_turn(ready)

    def _in_turn(self, ready: list[tuple[SelectorKey, int]]) -> list[tuple[SelectorKey, int]]:
        self._waits += 1
        ready.sort(key=lambda answer: self._served.get(answer[0].fd, 0))
        for key, _ in ready:
            self._served[key.fd] = self._waits
        return ready


def _bits(events: int) -> int:
    return (select.POLLIN if events & EVENT_READ else 0) | (select.POLLOUT if events & EVENT_WRITE else 0)
