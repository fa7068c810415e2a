"""io_uring's poll requests, of Linux 5.11 and later (io_uring(7), io_uring_enter(2)).

A request to poll a file goes down a ring and completes, once, when the file is ready.  The kernel keeps
the requests, so a wait costs what is ready, and all that a turn of a loop changes goes down in the call
that waits.  ``io_uring.py`` has the rings; what the requests do that nobody expects:

- A request polls its file when it is armed, and is spent when it completes.  So arming anew what was
  reported makes readiness a level; multishot requests tell of edges.
- One that completes between two waits is history: somebody may have read the data since.  So it is
  not reported, but armed again by the next wait, which then asks the file itself.
- An armed request holds its open file.  A file that is closed after ``unregister`` would stay open, its
  peer without end of file, until the request is gone.  So the removal of an armed request is submitted
  at once, and ``close`` removes all: the kernel's own clearing up after a ring comes later.
- For the same reason a file closed *without* ``unregister`` stays open until it is ready.  Then
  the number is armed anew and answers EBADF: we drop it and tell.
- A request belongs to the thread that armed it, which delivers the completion by itself when it next
  passes through the kernel.  When that thread has ended, it completes as ECANCELED.  So we arm it again.
- Completions cannot be called back: one may be under way when its registration ends or changes.  So
  each registration has a name of its own, a count that never comes again, and a completion under
  another name is dropped.
- EPOLLRDHUP comes unasked: the peer sends no more, which is no news for a writer.  Without it a request
  to write that it completes would be armed and spent for ever.  So such a file is armed once more with a
  multishot request, which stays, and tells when there is room too.
- Regular files, directories and /dev/null can be polled, and are always ready.
- The kernel has room for more completions than the ring, and some versions refuse requests meanwhile.
  So we take all that there is before we submit.
- A fork shares the rings' memory.  So the child makes rings of its own at first use, and of the old
  ones it only unmaps the memory and closes the number.
- The ring has a descriptor, but one that tells what happened since the last wait, not what is ready.
  So there is no ``fileno()``.
- Another thread may register during a wait, which counts from the next wait on; may unregister, at
  once; and may close the selector: the wait ends and raises, and the last one out frees the memory.
- Timeouts are nanoseconds, and each ends late by the timer slack.  So a wait is aimed early, and repeated.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import Any, ClassVar

from . import io_uring
from .interface import LONGEST_WAIT_S, MOMENTARY, Selector, cap_wait, why_probe_failed
from .poll_bits import BITS, EVENTS, IN, OUT
from .precise_waits import Aim

# The kernel sizes the table in which it looks up what is to be removed by the ring of completions: this
# gives it 128 lists, and 20,000 armed requests are removed in half the time that 1,024 completions take.
_REQUESTS, _COMPLETIONS = 256, 4096

_PROBE_WAIT_NS = 10_000_000_000
_SETTING = Path("/proc/sys/kernel/io_uring_disabled")

_BOTH = EVENT_READ | EVENT_WRITE
_PLAIN = frozenset(bits for bits, events in EVENTS.items() if events)
_TELLING = max(_PLAIN)  # every bit that stands for an event


class UringSelector(Selector):
    """A selector on io_uring; see the module's text for what the kernel does and what we do about it."""

    name = "uring"
    resolution = 1e-9
    kernel: ClassVar[Any] = io_uring.SystemCalls()
    """The object that makes the system calls; a test puts another here."""

    @classmethod
    def probe(cls) -> str | None:
        if not sys.platform.startswith("linux"):
            return "io_uring is Linux's"
        try:
            return _why_a_poll_fails(cls.kernel)
        except ImportError as error:
            return f"nothing to make its system calls with: {error}"
        except OSError as error:
            return _why_refused(error)

    def __init__(self) -> None:
        super().__init__()
        self._names = count(1)
        self._name_of: dict[int, int] = {}  # number to the name of its registration
        self._fd_of_name: dict[int, int] = {}
        self._arming: dict[int, bytes] = {}  # name to the request that arms it
        # A registration is in one of three states: to be armed, armed (in neither), and done.
        self._queue: dict[int, int] = {}  # of which only the names matter
        self._done: dict[int, int] = {}  # name to the bits
        self._going: dict[int, int] = {}  # what was queued, while it is put into the ring
        self._removals: list[bytes] = []  # requests that end armed ones
        self._shortage = 0  # the errno that a request completed with
        self._bereaved = False  # a registration was dropped during this wait
        self._lock = threading.RLock()  # for whoever changes any of these; never held during a wait
        self._handling = False  # the ring is in use, by the lock's holder: what interrupts it keeps off
        self._overdue = False  # there are removals that what interrupts could not submit
        self._inside: set[int] = set()  # threads whose call of select is under way
        self._lost = False  # the ring is the parent's
        self._aim = Aim()
        self._ring = io_uring.Ring(self.kernel, _REQUESTS, _COMPLETIONS)

    def _add(self, fd: int, events: int) -> None:
        self.kernel.require_open(fd)
        with self._lock:
            self._enlist(fd, events)

    def _change(self, fd: int, before: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        self._add(fd, events)

    def _remove(self, fd: int, events: int) -> None:  # noqa: ARG002 - the signature is shared
        with self._lock:
            name = self._name_of.pop(fd, 0)
            if self._strike_out(name):
                self._removals.append(io_uring.poll_remove(name))
        # Not only this one: a request for what the file was registered for before may still be armed.
        if self._removals:
            self._submit_removals()

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            wait_ns = None
        elif timeout <= 0:
            wait_ns = 0
        elif timeout <= LONGEST_WAIT_S:
            wait_ns = math.ceil(timeout * 1e9)
        else:
            wait_ns = math.ceil(cap_wait(timeout) * 1e9)
        thread = threading.get_ident()
        if thread in self._inside:
            raise RuntimeError(f"select: this {self.name} selector is called by what interrupted its select")
        try:
            self._inside.add(thread)
            if not self._closed:
                self._wait(wait_ns)
        finally:
            self._inside.discard(thread)
            self._free_if_closed()
        if self._closed:
            raise self._refusal("select")
        keys, fd_of_name = self._keys, self._fd_of_name
        done = list(self._done.items())
        try:
            # As in epoll.py: the two commonest cases need no masking.
            return [
                (key, 1 if bits == IN else 2 if bits == OUT else EVENTS[bits] & key.events)
                for name, bits in done
                for key in (keys[fd_of_name[name]],)
            ]
        except KeyError:  # unregistered a moment ago, by a signal handler say
            found = [(keys.get(fd_of_name.get(name, -1)), bits) for name, bits in done]
            return [(key, EVENTS[bits] & key.events) for key, bits in found if key is not None]

    def _forked(self) -> None:
        self._lost = True
        # Other threads, and their hold on these, stayed with the parent.
        self._lock = threading.RLock()
        self._handling = False
        self._inside &= {threading.get_ident()}

    def _release(self) -> None:
        if not self._lost and not self._ring.closed:
            with self._lock:
                armed = self._fd_of_name.keys() - self._queue.keys() - self._done.keys()
                self._removals += map(io_uring.poll_remove, armed)
                self._removals.append(io_uring.NOP)  # ends the wait of another thread
                self._fd_of_name.clear()
                self._submit_removals()
        self._free_if_closed()

    def _enlist(self, fd: int, events: int) -> int:
        """Queue a number under a new name, which is returned, and end what is armed under a former one."""
        before = self._name_of.get(fd, 0)
        name = self._name_of[fd] = next(self._names)
        self._fd_of_name[name] = fd
        self._arming[name] = io_uring.poll_add(name, fd, BITS[events])
        self._queue[name] = 0
        if self._strike_out(before):
            self._removals.append(io_uring.poll_remove(before))
        return name

    def _strike_out(self, name: int) -> bool:
        """Forget a name, if it is one; True when its request has to be removed from the kernel."""
        if self._fd_of_name.pop(name, None) is None:
            return False
        del self._arming[name]
        waits = name in self._queue or name in self._done
        self._queue.pop(name, None)
        self._done.pop(name, None)
        return not waits

    def _wait(self, wait_ns: int | None) -> None:
        """Arm what is queued and wait until something is done, dropped or closed, or the time is over."""
        deadline_ns = time.monotonic_ns() + wait_ns if wait_ns else 0
        self._bereaved = False
        self._handle(self._catch_up)
        while True:
            asked = 0.0
            if wait_ns != 0 and not (self._done or self._queue or self._bereaved):
                asked = 0.0 if wait_ns is None else self._aim.at(wait_ns / 1e9)
                self._enter(1, None if wait_ns is None else int(asked * 1e9))
            elif self._ring.unsubmitted:
                self._enter()
            elif wait_ns == 0 or not self._queue:
                return
            self._handle(self._take)
            if self._done or self._bereaved or self._closed:
                return
            if self._shortage:
                error, self._shortage = self._shortage, 0
                raise OSError(error, os.strerror(error))
            if wait_ns is not None:
                if wait_ns:
                    left_ns = deadline_ns - time.monotonic_ns()
                    self._aim.learn(asked, (wait_ns - left_ns) / 1e9)
                    wait_ns = left_ns
                if wait_ns <= 0:
                    return
            self._handle(self._fill)

    def _handle(self, work: Callable[[], None]) -> None:
        """Do *work* on a ring of our own, alone."""
        with self._lock:
            if self._handling:
                raise RuntimeError(f"this {self.name} selector is called by what interrupted a call of it")
            self._handling = True
            try:
                if self._lost:
                    self._own()
                work()
            finally:
                self._handling = False
                if self._overdue:
                    self._overdue = False
                    self._submit_removals()

    def _catch_up(self) -> None:
        """Before a wait: arm what was reported, what has completed since, and what was queued."""
        self._take()
        if self._done:
            if self._queue:
                self._queue.update(self._done)
            else:
                self._queue = self._done
            self._done = {}
        self._fill()

    def _fill(self) -> None:
        """Put all that is to go down into the ring; what finds no room there goes down at once."""
        ring, removals, arming = self._ring, self._removals, self._arming
        while removals:
            del removals[: ring.push(removals)]
            if removals and not self._make_room():
                return
        if self._going:  # an exception came in between; to arm twice is better than never
            self._queue.update(self._going)
        if not self._queue:
            return
        # What interrupts us finds another queue to add to.
        going = self._going = self._queue
        self._queue = {}
        requests = [arming.get(name, io_uring.NOP) for name in going]
        pushed = ring.push(requests)
        while pushed < len(requests):
            if not self._make_room():
                self._queue.update(dict.fromkeys(list(going)[pushed:], 0))
                break
            pushed += ring.push(requests[pushed : pushed + _REQUESTS])
        self._going = {}

    def _make_room(self) -> bool:
        """Submit a ring that is full; whether there is room now."""
        self._enter()
        self._take()
        return not self._ring.full

    def _take(self) -> None:
        """Take all completions there are."""
        ring, fd_of_name = self._ring, self._fd_of_name
        while batch := ring.peek():
            plain = {
                name: bits
                for name, bits, flags in batch
                if bits in _PLAIN and not flags and name in fd_of_name
            }
            self._done.update(plain)
            if len(plain) < len(batch):
                self._take_odd([each for each in batch if each[0] not in plain])
            ring.consume(len(batch))
            if len(batch) < _COMPLETIONS:
                return
            self._enter()  # moves in what found the ring full

    def _take_odd(self, batch: list[tuple[int, int, int]]) -> None:
        """Completions of former registrations, of half hang-ups, and those that tell nothing of a file."""
        for name, result, flags in batch:
            fd = self._fd_of_name.get(name, -1)
            if fd < 0:
                continue
            bits = result & _TELLING
            if result < 0:
                self._take_failure(name, -result)
            elif not bits:
                if not flags & io_uring.CQE_F_MORE:
                    self._arming[name] = io_uring.poll_add(name, fd, OUT, multishot=True)
                    self._queue[name] = 0
            elif not flags & io_uring.CQE_F_MORE:
                self._done[name] = bits
            elif fd in self._keys:  # the multishot request has done its work: back to asking each time
                successor = self._enlist(fd, self._keys[fd].events)
                del self._queue[successor]
                self._done[successor] = bits

    def _take_failure(self, name: int, error: int) -> None:
        """A request that told nothing of its file: arm it again, or drop a file that cannot be watched."""
        if error in MOMENTARY:
            self._shortage = error
        if error in MOMENTARY or error == errno.ECANCELED:
            self._queue[name] = 0
            return
        fd = self._fd_of_name[name]
        self._strike_out(name)
        if self._name_of.get(fd) == name:
            del self._name_of[fd]
        if fd in self._keys:
            self._drop(fd)
            self._bereaved = True

    def _enter(self, min_complete: int = 0, wait_ns: int | None = None) -> None:
        """Submit and wait; whoever calls looks at what has come of it, as it may end early."""
        try:
            if not self._lost:
                self._ring.enter(min_complete, wait_ns)
        except InterruptedError:
            pass  # a handler that did not raise (PEP 475)
        except OSError as error:
            if error.errno != errno.EBUSY or not self._ring.peek():
                raise

    def _submit_removals(self) -> None:
        """Send down what ends armed requests, or leave it to whom we interrupt in handling the ring."""
        with self._lock:
            self._overdue = self._handling
            if not self._handling and not self._lost:
                # What is refused stays, and goes down with the next wait.
                with contextlib.suppress(OSError):
                    self._handle(self._end_requests)

    def _end_requests(self) -> None:
        while self._removals:
            del self._removals[: self._ring.push(self._removals)]
            self._ring.enter()
            # A thread that is inside takes what completes itself, or it would wait past it.
            if not self._inside:
                self._take()

    def _own(self) -> None:
        """In a forked child, make rings, where all that is registered is to be armed."""
        # Closed first: at the limit of open files its number is the only one to be had.
        self._ring.close()
        self._ring = io_uring.Ring(self.kernel, _REQUESTS, _COMPLETIONS)
        self._removals.clear()
        self._done.clear()
        self._queue = dict.fromkeys(self._fd_of_name, 0)
        self._going = {}
        self._lost = False

    def _free_if_closed(self) -> None:
        """Let the last one out free the ring."""
        if self._closed and not self._inside and not self._handling:
            self._ring.close()


def _why_a_poll_fails(kernel: Any) -> str | None:
    reader, writer = os.pipe()
    try:
        ring = io_uring.Ring(kernel, 1, 2)
        try:
            ring.push([io_uring.poll_add(1, writer, OUT)])
            ring.enter(1, _PROBE_WAIT_NS)
            answers = [(name, result) for name, result, _ in ring.peek()]
        finally:
            ring.close()
    finally:
        os.close(reader)
        os.close(writer)
    return None if answers == [(1, OUT)] else f"a request to poll was answered by {answers}"


def _why_refused(error: OSError) -> str:
    if error.errno == errno.ENOSYS:
        return "this kernel has no io_uring, or an emulator or a filter hides it"
    if error.errno == errno.EPERM:
        try:
            setting = _SETTING.read_text().strip()
        except OSError:
            setting = ""
        if setting == "2":
            return "kernel.io_uring_disabled=2 forbids it"
        if setting == "1":
            return "kernel.io_uring_disabled=1 forbids it to who is not in kernel.io_uring_group"
        return "a filter of system calls forbids it (seccomp, as containers have)"
    if error.errno == errno.ENOMEM:
        why = "; before Linux 5.12 rings count against RLIMIT_MEMLOCK (ulimit -l)"
        raise OSError(error.errno, f"{os.strerror(error.errno)}{why}") from error
    return why_probe_failed("uring", error)
