"""epoll, of Linux (epoll(7), epoll_ctl(2), epoll_wait(2)).

The kernel keeps the set of registrations, so a wait costs what is ready, not what is registered.
The price is that the set is keyed by (open file, number), while we and our callers think in numbers:

- ``close(n)`` removes the entry only when it was the last descriptor of that open file.  A duplicate
  (``os.dup``, a fork, SCM_RIGHTS) keeps it alive under a number that ``epoll_ctl`` can no longer
  address: it answers EBADF, or ENOENT when the number has a new file.  The entry fires for ever.
  So we rebuild the whole set when an event comes for a number that we do not know.
- When such a number is registered again, events of the old file look like those of the new one.
  So a number whose removal failed is a *suspect*, and when it comes back, we believe an event for it
  only if poll(2), which looks up the number anew, says the same; if not, we rebuild.  Doubting costs
  a system call per wait, so after as many doubts as there are registrations we rebuild to be rid of it.
- A file closed underfoot with a duplicate left fires under a registration that is still ours, and
  nobody can consume the event.  So every 256th batch is put before poll(2), and what it calls
  POLLNVAL is dropped.  That bounds the spin (libuv 1148, uvloop 61) to some hundred wake-ups.
- A number closed without ``unregister`` and reused makes EPOLL_CTL_MOD answer ENOENT; one restored by
  ``dup2`` makes EPOLL_CTL_ADD answer EEXIST.  So we do the other one, as libevent does.
- Regular files, directories and /dev/null are refused with EPERM, for they are always ready.
  So we say that ourselves: while one is registered, no wait blocks.
- A fork shares the set, it does not copy it: the child's EPOLL_CTL_DEL would blind the parent
  (eventlet 68).  So the child makes a set of its own at first use and only ever closes the shared one.
- Timeouts are milliseconds.  So the end of a wait is left to epoll_pwait2(2), of Linux 5.11; where that
  is refused, we round up.  ``maxevents`` of 0 is refused with EINVAL.
- ``close`` of the set does not wake who waits in it.  So a wait ends as it would have, finds the selector
  closed, and raises that; it must not rebuild a set that nobody would close.
"""

from __future__ import annotations

import errno
from math import inf
from selectors import SelectorKey
from time import monotonic
from typing import Any, ClassVar

from . import kernel
from .interface import LONGEST_WAIT_S, MOMENTARY, Selector, cap_wait, why_probe_failed
from .poll_bits import BITS, EVENTS, IN, NVAL, OUT
from .precise_waits import Batch, PreciseWait

_BATCHES_PER_AUDIT = 256


class EpollSelector(Selector):
    """A selector on epoll; see the module's text for what the kernel does and what we do about it."""

    name = "epoll"
    kernel: ClassVar[Any] = kernel
    """The module that the system calls come from; a test puts another here."""

    @classmethod
    def probe(cls) -> str | None:
        if not hasattr(cls.kernel, "epoll"):
            return "select has no epoll"
        try:
            with cls.kernel.epoll() as epoll:
                epoll.poll(0, 1)
        except OSError as error:
            return why_probe_failed("epoll", error)
        return None

    def __init__(self) -> None:
        super().__init__()
        self._epoll = self.kernel.epoll()
        self._precise = PreciseWait()
        self._always: set[int] = set()  # registered, but always ready: EPERM
        self._suspects: set[int] = set()  # numbers with perhaps an entry that cannot be deleted
        self._doubted: set[int] = set()  # suspects that are registered again
        self._doubts = 0  # how often poll(2) was asked for a doubted number since the last rebuild
        self._lost = False  # the set is not ours (a fork) or gone (a rebuild that failed)
        self._detour = False  # anything that makes the plain wait wrong
        self._batches = 0

    @property
    def resolution(self) -> float:
        """1 ns where epoll_pwait2(2) works, else 1 ms."""
        return self._precise.resolution(self._wait_finely)

    def fileno(self) -> int:
        """The number of the epoll set; it may change when the set is rebuilt, and does after a fork."""
        if self._closed:
            raise self._refusal("fileno")
        if self._lost:
            self._rebuild()
        fd: int = self._epoll.fileno()
        return fd

    def _add(self, fd: int, events: int) -> None:
        if self._lost:
            self._rebuild()
        self._enter(fd, events)
        if fd in self._suspects:
            self._doubted.add(fd)
            self._detour = True

    def _change(self, fd: int, before: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        if self._lost:
            self._rebuild()
        try:
            self._epoll.modify(fd, BITS[events])
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EPERM):
                raise
            # Always ready before or now, or a new file has the number and the old one's entry may live on.
            self._enter(fd, events)
            self._suspects.add(fd)
            self._doubted.add(fd)
            self._detour = True
        else:
            self._always.discard(fd)

    def _remove(self, fd: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        if not self._lost and fd not in self._always:
            try:
                self._epoll.unregister(fd)
            except OSError:
                self._suspects.add(fd)
        if self._detour:
            self._forget(fd)

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        end = 0.0
        if timeout is None:
            wait = -1.0
        elif timeout <= 0:
            wait = 0.0
        else:
            precise = self._precise
            try:
                wait = timeout * precise.share - precise.margin
            except OverflowError:  # an int that is larger than any float
                wait = inf
            if not wait <= LONGEST_WAIT_S:
                wait = timeout = cap_wait(timeout)
            end = monotonic() + timeout
            if wait < precise.short:
                wait = 0.0
        if self._detour:
            return self._select_warily(wait, end)
        keys = self._keys
        try:
            batch = self._epoll.poll(wait, len(keys) or 1)
            if not batch and end:
                batch = self._wait_out(end)
        except (OSError, ValueError):
            if self._closed:  # by another thread, and after a signal the library waits again in nothing
                raise self._refusal("select") from None
            raise
        self._batches += 1
        if self._batches >= _BATCHES_PER_AUDIT:
            return self._second_opinion(batch)
        try:
            # The kernel reports IN and OUT only where they were asked for, so the two commonest
            # cases need no masking: 15 % less per ready file than the general form alone.
            return [
                (keys[fd], 1 if bits == IN else 2 if bits == OUT else EVENTS[bits] & keys[fd].events)
                for fd, bits in batch
            ]
        except KeyError:
            return self._second_opinion(batch)

    def _forked(self) -> None:
        self._lost = self._detour = True

    def _release(self) -> None:
        self._detour = True
        self._epoll.close()

    def _wait_out(self, end: float) -> Batch:
        batch = self._precise.finish(end, self._wait_finely, self._poll)
        if self._closed:
            raise self._refusal("select")
        return batch

    def _wait_finely(self, seconds: float) -> bool:
        if self._closed:
            raise self._refusal("select")
        ready: bool = self.kernel.epoll_pwait2(self._epoll.fileno(), seconds)
        return ready

    def _poll(self, wait: float) -> Batch:
        if self._closed:
            raise self._refusal("select")
        batch: Batch = self._epoll.poll(wait, len(self._keys) or 1)
        return batch

    def _enter(self, fd: int, events: int) -> None:
        """EPOLL_CTL_ADD, and what its refusals ask for."""
        try:
            self._epoll.register(fd, BITS[events])
        except FileExistsError:
            self._epoll.modify(fd, BITS[events])
        except PermissionError as error:
            if error.errno != errno.EPERM:  # EACCES, from a security module
                raise
            self._always.add(fd)
            self._detour = True
        else:
            self._always.discard(fd)

    def _forget(self, fd: int) -> None:
        self._always.discard(fd)
        self._doubted.discard(fd)
        self._detour = bool(self._lost or self._always or self._doubted)

    def _rebuild(self) -> None:
        """Start a new set with what is registered, leaving behind every entry that could not be deleted.

        A file that the kernel refuses is dropped. What may pass, a shortage for instance, is raised, and
        the next call tries again.
        """
        self._lost = self._detour = True  # until all is done, so that a failure is made good by the next call
        # Closed first: at the limit of open files its number is the only one to be had.
        self._epoll.close()
        self._epoll = self.kernel.epoll()
        self._always.clear()
        self._suspects.clear()
        self._doubted.clear()
        self._doubts = 0
        for key in list(self._keys.values()):
            try:
                self._enter(key.fd, key.events)
            except OSError as error:
                if error.errno in MOMENTARY:
                    raise
                self._drop(key.fd)
        self._lost = False
        self._detour = bool(self._always)

    def _select_warily(self, wait: float, end: float) -> list[tuple[SelectorKey, int]]:
        if self._closed:
            raise self._refusal("select")
        known_dead = len(self.dropped)
        if self._lost:
            self._rebuild()
        if self._always or len(self.dropped) > known_dead:
            wait = end = 0.0
        batch = self._poll(wait)
        if not batch and end:
            batch = self._wait_out(end)
        if self._doubted:
            self._doubts += len(batch)
        ready = self._second_opinion([*batch, *((fd, 0) for fd in self._always)])
        if self._doubts > len(self._keys):
            self._rebuild()
        return ready

    def _second_opinion(self, batch: Batch) -> list[tuple[SelectorKey, int]]:
        """Put a batch before poll(2), and rebuild the set when the two disagree or poll(2) fails.

        Another thread that consumed an event in between makes them disagree too; that rebuild is harmless.
        """
        if self._closed:  # by another thread during the wait
            raise self._refusal("select")
        self._batches = 0
        poller = self.kernel.poll()
        for fd, _ in batch:
            if fd in self._keys:
                poller.register(fd, BITS[self._keys[fd].events])
        try:
            answers = dict(poller.poll(0))
        except OSError:
            answers = {}
        for fd, bits in answers.items():
            if bits & NVAL:
                self._drop(fd)
        # Fewer answers than questions: a number is not ours, not ready, or reported for two files.
        if len(answers) < len(batch) or any(bits & NVAL for bits in answers.values()):
            self._rebuild()
            # What is stale may have taken the place of what is ready; the new set tells the truth.
            answers = dict(self._poll(0.0))
            answers.update((fd, IN | OUT) for fd in self._always)
        return [(self._keys[fd], EVENTS[bits] & self._keys[fd].events) for fd, bits in answers.items()]
