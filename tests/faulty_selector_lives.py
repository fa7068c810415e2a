"""Faulty selectors that go wrong when they are closed or forked, or when files are closed, reused, special.

CPython's selectors break some of these rules as they are, so that a fault which adds to one is built upon
another of them, or upon ours, which keeps the rule otherwise.
"""

from __future__ import annotations

import os
import select
import selectors
import socket
import stat
from collections.abc import Mapping
from typing import Any

from faulty_base import FaultBed
from muxloop.selectors_impl.epoll import EpollSelector
from muxloop.selectors_impl.poll import PollSelector
from muxloop.selectors_impl.select import SelectSelector

LIFETIME_FAULTS: FaultBed[selectors.BaseSelector] = FaultBed()

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
Ready = list[tuple[selectors.SelectorKey, int]]


@LIFETIME_FAULTS.plant
class CloseKeepsEpoll(EpollSelector):
    """invented: close() leaves a descriptor of the epoll set open. Breaks SEL-09."""

    def __init__(self) -> None:
        super().__init__()
        self.spare_fd = os.dup(self.fileno())


@LIFETIME_FAULTS.plant
class SurvivesExec(EpollSelector):
    """invented: the epoll descriptor is inherited by programs that are executed. Breaks SEL-09."""

    def __init__(self) -> None:
        super().__init__()
        os.set_inheritable(self.fileno(), True)


@LIFETIME_FAULTS.plant
class CloseTwiceRaises(PollSelector):
    """invented: a second close() is an error. Breaks SEL-09."""

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("this selector is closed already")
        super().close()


@LIFETIME_FAULTS.plant
class ClosedSelectReturns(PollSelector):
    """seen in CPython's poll selector: a closed one waits as if nothing were registered. Breaks SEL-09."""

    def select(self, timeout: float | None = None) -> Ready:
        return [] if self.closed else super().select(timeout)


@LIFETIME_FAULTS.plant
class ClosedMapIsNone(PollSelector):
    """seen in CPython's selectors: get_map() of a closed one is None. Breaks SEL-09."""

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return None if self.closed else super().get_map()  # type: ignore[return-value]


@LIFETIME_FAULTS.plant
class ClosedInManyWays(PollSelector):
    """seen in CPython's epoll selector: calls on a closed one raise what they come across. Breaks SEL-09."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.closed:
            raise ValueError("I/O operation on a closed selector")
        return super().register(fileobj, events, data)


@LIFETIME_FAULTS.plant
class SharedWithChild(selectors.EpollSelector):
    """26 eventlet 68 and 80, bpo-22087: a forked child that unregisters or closes changes the set of its
    parent, as the standard library's epoll selector does unspoilt. Breaks SEL-10."""


@LIFETIME_FAULTS.plant
class ForkUnnoticed(EpollSelector):
    """26 libev, ev_loop_fork: a child goes on with the epoll set that it shares. Breaks SEL-10."""

    def _forked(self) -> None:
        """Nothing."""


@LIFETIME_FAULTS.plant
class DiesOfBadFd(selectors.SelectSelector):
    """seen in CPython's select selector: one closed number fails every wait with EBADF. Breaks SEL-11."""


@LIFETIME_FAULTS.plant
class BadFdStarvesAll(selectors.SelectSelector):
    """invented: EBADF is taken for an interruption, and nobody is served any more. Breaks SEL-11."""

    def select(self, timeout: float | None = None) -> Ready:
        try:
            return super().select(timeout)
        except OSError:
            return []


@LIFETIME_FAULTS.plant
class InvalidIsReady(selectors.PollSelector):
    """seen in CPython's poll selector: POLLNVAL is reported as an event, time and again. Breaks SEL-11."""


@LIFETIME_FAULTS.plant
class DuplicateSpins(selectors.EpollSelector):
    """2 libuv 1148, uvloop 61: a closed file fires for ever while a duplicate is open. Breaks SEL-11."""


@LIFETIME_FAULTS.plant
class StaleKeyAfterReuse(selectors.EpollSelector):
    """seen in twisted 12681: a modify that changes no events never tells the kernel of the new file. Breaks
    SEL-12."""


@LIFETIME_FAULTS.plant
class EventsOfFormerOwner(selectors.EpollSelector):
    """36 swift-nio 341, 1 libuv joyent-826: an event of the file that had the number before is delivered to
    the one that has it now. Breaks SEL-12."""

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self.unregister(fileobj)
        return self.register(fileobj, events, data)


@LIFETIME_FAULTS.plant
class FormerOwnersData(SelectSelector):
    """invented: after a modify by the new owner of a number, events carry the data of the old one. Breaks
    SEL-12."""

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        old = self.get_key(fileobj)
        return super().modify(fileobj, events, data if old.fileobj is fileobj else old.data)


@LIFETIME_FAULTS.plant
class AlwaysReadyRefused(selectors.EpollSelector):
    """28 twisted 4429: a regular file cannot be registered, because epoll says EPERM. Breaks SEL-13."""


@LIFETIME_FAULTS.plant
class FilesReadableOnly(PollSelector):
    """invented: whoever waits to write to a regular file waits for ever. Breaks SEL-13."""

    def select(self, timeout: float | None = None) -> Ready:
        masked = [
            (key, mask & READ if _is_regular(key.fd) else mask) for key, mask in super().select(timeout)
        ]
        return [(key, mask) for key, mask in masked if mask]


@LIFETIME_FAULTS.plant
class FilesReadyOnce(PollSelector):
    """invented: a regular file is reported by the first wait alone. Breaks SEL-13."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: set[selectors.SelectorKey] = set()

    def select(self, timeout: float | None = None) -> Ready:
        ready = [(key, mask) for key, mask in super().select(timeout) if key not in self.reported]
        self.reported.update(key for key, _ in ready if _is_regular(key.fd))
        return ready


@LIFETIME_FAULTS.plant
class ListenerLost(selectors.PollSelector):
    """invented: a connection that waits to be accepted does not count as readable. Breaks SEL-07."""

    def select(self, timeout: float | None = None) -> Ready:
        return [(key, mask) for key, mask in super().select(timeout) if not _option(key.fd, "SO_ACCEPTCONN")]


@LIFETIME_FAULTS.plant
class RefusalUnmapped(selectors.PollSelector):
    """seen on Windows: a refused connection is no news to whoever waits for it. Breaks SEL-07."""

    def select(self, timeout: float | None = None) -> Ready:
        return [(key, mask) for key, mask in super().select(timeout) if not _bits(key.fd) & select.POLLERR]


@LIFETIME_FAULTS.plant
class DuplicatesAreOne(selectors.PollSelector):
    """invented: of two numbers of one file, only the first is reported. Breaks SEL-07."""

    def select(self, timeout: float | None = None) -> Ready:
        kept: dict[tuple[int, int], tuple[selectors.SelectorKey, int]] = {}
        for key, mask in super().select(timeout):
            status = os.fstat(key.fd)
            kept.setdefault((status.st_dev, status.st_ino), (key, mask))
        return list(kept.values())


@LIFETIME_FAULTS.plant
class OneDatagramOnly(selectors.PollSelector):
    """invented: a datagram that was reported once, and left, is not reported again. Breaks SEL-07."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: set[int] = set()

    def select(self, timeout: float | None = None) -> Ready:
        ready = super().select(timeout)
        waiting = {key.fd for key, mask in ready if mask & READ and _option(key.fd, "SO_TYPE") == 2}
        known, self.reported = self.reported & waiting, waiting
        masked = [(key, mask & ~READ if key.fd in known else mask) for key, mask in ready]
        return [(key, mask) for key, mask in masked if mask]


def _is_regular(fd: int) -> bool:
    return stat.S_ISREG(os.fstat(fd).st_mode)


def _bits(fd: int) -> int:
    """What poll(2) says of one file."""
    poller = select.poll()
    poller.register(fd, 0)
    return sum(bits for _, bits in poller.poll(0))


def _option(fd: int, name: str) -> int:
    """An option of a socket; 0 for what is none."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return 0
    copy = socket.socket(fileno=os.dup(fd))
    with copy:
        return copy.getsockopt(socket.SOL_SOCKET, getattr(socket, name))
