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
- Timeouts are milliseconds.  CPython's wrapper rounds fractions up, PyPy's cuts them off: we round up.
"""

from __future__ import annotations

import math
import select
import sys
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import Any, ClassVar

from .interface import LONGEST_WAIT_S, Selector, cap_wait, why_probe_failed
from .poll_bits import BITS, EVENTS, IN, NVAL, OUT

if sys.platform != "win32":
    import fcntl


class PollSelector(Selector):
    """A selector on poll; see the module's text for what the kernel does and what we do about it."""

    name = "poll"
    resolution = 1e-3
    kernel: ClassVar[Any] = select
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

    def _add(self, fd: int, events: int) -> None:
        fcntl.fcntl(fd, fcntl.F_GETFD)  # raises EBADF
        self._poll.register(fd, BITS[events])

    def _change(self, fd: int, before: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        fcntl.fcntl(fd, fcntl.F_GETFD)
        self._poll.modify(fd, BITS[events])

    def _remove(self, fd: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        self._poll.unregister(fd)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            wait_ms = None
        elif timeout <= 0:
            wait_ms = 0
        elif timeout <= LONGEST_WAIT_S:
            wait_ms = math.ceil(timeout * 1e3)
        else:
            wait_ms = math.ceil(cap_wait(timeout) * 1e3)
        if self._closed:
            raise self._refusal("select")
        keys = self._keys
        batch = self._poll.poll(wait_ms)
        try:
            # As in epoll.py: the two commonest cases need no masking.
            return [
                (keys[fd], 1 if bits == IN else 2 if bits == OUT else EVENTS[bits] & keys[fd].events)
                for fd, bits in batch
            ]
        except KeyError:
            return self._select_past_the_dead(batch)

    def _select_past_the_dead(self, batch: list[tuple[int, int]]) -> list[tuple[SelectorKey, int]]:
        """The rest of a batch in which some numbers are closed, which are dropped."""
        ready = []
        for fd, bits in batch:
            if bits & NVAL:
                self._poll.unregister(fd)
                self._drop(fd)
            else:
                key = self._keys[fd]
                # Bits that some system adds of its own count as an error: the owner shall look.
                events = EVENTS.get(bits, EVENT_READ | EVENT_WRITE) & key.events
                ready.append((key, events))
        return ready
