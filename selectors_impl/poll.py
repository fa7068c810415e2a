"""poll, of POSIX (poll(2)).

The list of what is watched goes to the kernel with every wait, so a wait costs what is registered.
In return there is no kernel object: nothing to close, nothing shared with a forked child, and a
number always means the file that has it now.

- A closed number is reported as POLLNVAL at once, every time: a loop that does not know the bit spins
  for ever (CPython's does).  So we drop the registration and tell (``take_dropped``).
- POLLHUP and POLLERR come unasked, on either side.  So they count for both, masked by what is registered.
- poll(2) accepts any number at registration, where epoll and kqueue answer EBADF.  So we look whether
  it is open, for every backend to give the same answer.
- Regular files are always ready, devices as their driver says; macOS before 10.10 lied about
  devices and ttys, and answers POLLNVAL for some: they are dropped, with the select backend as the remedy.
- Timeouts are milliseconds.  So the end of a wait is left to ppoll(2), as long as few enough files are
  registered for it to pay.  Where there is none we round up, for PyPy's wrapper cuts fractions off.
- Nothing can wake a waiting call when the selector is closed.  So it ends as it would have, and raises then.
"""

from __future__ import annotations

import math
from array import array
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from time import monotonic
from typing import Any, ClassVar

from . import kernel
from .interface import LONGEST_WAIT_S, Selector, cap_wait, why_probe_failed
from .poll_bits import BITS, EVENTS, IN, NVAL, OUT, pollfds
from .precise_waits import Batch, PreciseWait

# Looking through more takes as long as what a second look would win.
_MOST_FOR_PRECISION = 500


class PollSelector(Selector):
    """A selector on poll; see the module's text for what the kernel does and what we do about it."""

    name = "poll"
    kernel: ClassVar[Any] = kernel
    """The module that the system calls come from; a test puts another here."""

    @classmethod
    def probe(cls) -> str | None:
        if not hasattr(cls.kernel, "poll"):
            return "select has no poll"
        try:
            cls.kernel.poll().poll(0)
        except OSError as error:
            return why_probe_failed("poll", error)
        return None

    def __init__(self) -> None:
        super().__init__()
        self._poll = self.kernel.poll()
        self._precise = PreciseWait()
        self._pollfds: array[int] | None = None  # what ppoll is given; None after a change

    @property
    def resolution(self) -> float:
        """1 ns where ppoll(2) works, for up to 500 files; else 1 ms."""
        return self._precise.resolution(self._wait_finely)

    def _add(self, fd: int, events: int) -> None:
        self.kernel.require_open(fd)
        self._poll.register(fd, BITS[events])
        self._pollfds = None

    def _change(self, fd: int, before: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        self.kernel.require_open(fd)
        self._poll.modify(fd, BITS[events])
        self._pollfds = None

    def _remove(self, fd: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        self._poll.unregister(fd)
        self._pollfds = None

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if self._closed:
            raise self._refusal("select")
        end = 0.0
        keys = self._keys
        if timeout is None:
            wait_ms = None
        elif timeout <= 0:
            wait_ms = 0
        else:
            if not timeout <= LONGEST_WAIT_S:
                timeout = cap_wait(timeout)
            end = monotonic() + timeout
            if len(keys) <= _MOST_FOR_PRECISION:
                precise = self._precise
                timeout = timeout * precise.share - precise.margin
                if timeout < precise.short:
                    timeout = 0.0
            wait_ms = math.ceil(timeout * 1e3)
        batch = self._poll.poll(wait_ms)
        if not batch and end:
            batch = self._precise.finish(end, self._wait_finely, self._wait)
            if self._closed:
                raise self._refusal("select")
        try:
            # As in epoll.py: the two commonest cases need no masking.
            return [
                (keys[fd], 1 if bits == IN else 2 if bits == OUT else EVENTS[bits] & keys[fd].events)
                for fd, bits in batch
            ]
        except KeyError:
            return self._select_past_the_dead(batch)

    def _wait_finely(self, seconds: float) -> bool:
        if self._closed:
            raise self._refusal("select")
        if self._pollfds is None:
            self._pollfds = pollfds((key.fd, BITS[key.events]) for key in list(self._keys.values()))
        ready: bool = self.kernel.ppoll(self._pollfds, seconds)
        return ready

    def _wait(self, seconds: float) -> Batch:
        if self._closed:
            raise self._refusal("select")
        batch: Batch = self._poll.poll(math.ceil(seconds * 1e3))
        return batch

    def _select_past_the_dead(self, batch: Batch) -> list[tuple[SelectorKey, int]]:
        """The rest of a batch in which some numbers are closed, which are dropped."""
        if self._closed:  # by another thread during the wait
            raise self._refusal("select")
        ready = []
        for fd, bits in batch:
            key = self._keys.get(fd)
            if key is None:
                continue  # unregistered by another thread during the wait
            if bits & NVAL:
                self._remove(fd, 0)
                self._drop(fd)
            else:
                # Bits that some system adds of its own count as an error: the owner shall look.
                events = EVENTS.get(bits, EVENT_READ | EVENT_WRITE) & key.events
                ready.append((key, events))
        return ready
