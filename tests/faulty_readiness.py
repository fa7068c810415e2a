"""Faults in readers, writers and the descriptors under them (rules IO)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import errno
import os
import select
import selectors
from collections.abc import Callable
from typing import Any

from faulty_base import FaultBed, SteppedLoop

READINESS_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


class EdgeTriggeredEpoll(selectors.EpollSelector):
    """Reports a change once, as EPOLLET asks."""

    _EVENT_READ = select.EPOLLIN | select.EPOLLET
    _EVENT_WRITE = select.EPOLLOUT | select.EPOLLET


class HangUpUnmapped(selectors.EpollSelector):
    """Takes EPOLLHUP and EPOLLERR for nothing."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        kernel: select.epoll = self._selector  # type: ignore[attr-defined]
        timeout_s = -1 if timeout is None else max(timeout, 0)
        ready = []
        for fd, flags in kernel.poll(timeout_s):
            mask = (flags & select.EPOLLIN and selectors.EVENT_READ) | (
                flags & select.EPOLLOUT and selectors.EVENT_WRITE
            )
            key = self.get_map().get(fd)
            if key and mask & key.events:
                ready.append((key, mask & key.events))
        return ready


def closed_underfoot(selector: selectors.BaseSelector) -> bool:
    """Whether a registered descriptor is no longer open."""
    for fd in selector.get_map():
        try:
            os.fstat(fd)  # type: ignore[arg-type]
        except OSError:
            return True
    return False


class SpinsOnClosed(selectors.EpollSelector):
    """Never waits while a registered descriptor is closed, as poll() does with POLLNVAL."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(0 if closed_underfoot(self) else timeout)


class DiesOfClosed(selectors.EpollSelector):
    """Refuses to wait while a registered descriptor is closed, as select() does."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if closed_underfoot(self):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return super().select(timeout)


@READINESS_FAULTS.plant
class EdgeTriggered(SteppedLoop):
    """invented: data left unread is not reported again. Breaks IO-01."""

    def __init__(self) -> None:
        super().__init__(EdgeTriggeredEpoll())


@READINESS_FAULTS.plant
class FormerReaderKept(SteppedLoop):
    """invented: add_reader replaces the former callback without cancelling it, so it still runs when it is
    queued. Breaks IO-02."""

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        key = self._selector.get_map().get(fd)
        if key is None:
            return super()._add_reader(fd, callback, *args)
        handle = asyncio.Handle(callback, args, self)
        self._selector.modify(fd, key.events | selectors.EVENT_READ, (handle, key.data[1]))
        return handle


@READINESS_FAULTS.plant
class RefusesFileObjects(SteppedLoop):
    """seen in rloop 0.5: add_reader takes numbers only, and refuses a socket with TypeError. Breaks IO-02."""

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        if not isinstance(fd, int):
            raise TypeError(f"add_reader: {fd!r} is not an integer")
        super().add_reader(fd, callback, *args)


@READINESS_FAULTS.plant
class ReaderTakesWriterAlong(SteppedLoop):
    """invented: remove_reader removes the writer of that fd too. Breaks IO-02."""

    def remove_reader(self, fd: Any) -> bool:
        self.remove_writer(fd)
        return super().remove_reader(fd)


@READINESS_FAULTS.plant
class RemoveReturnsNone(SteppedLoop):
    """seen in uvloop 0.23: remove_reader does not tell whether there was one. Breaks IO-03."""

    def remove_reader(self, fd: Any) -> bool:
        super().remove_reader(fd)
        return None  # type: ignore[return-value]


@READINESS_FAULTS.plant
class RemovedReaderFires(SteppedLoop):
    """seen in zloop 0.0.1: a reader that another reader of the same batch removed still runs. Breaks
    IO-04."""

    def _remove_reader(self, fd: Any) -> bool:
        key = None if self.is_closed() else self._selector.get_map().get(fd)
        if key is None or not key.events & selectors.EVENT_READ:
            return False
        if key.events & selectors.EVENT_WRITE:
            self._selector.modify(fd, selectors.EVENT_WRITE, (None, key.data[1]))
        else:
            self._selector.unregister(fd)
        return True


@READINESS_FAULTS.plant
class ClosedFdSpins(SteppedLoop):
    """2 libuv 1148, uvloop 61 in kind: after an fd is closed without removal the loop polls all the time.
    Breaks IO-05."""

    def __init__(self) -> None:
        super().__init__(SpinsOnClosed())


@READINESS_FAULTS.plant
class ClosedFdKills(SteppedLoop):
    """seen in asyncio on select: an fd closed without removal ends the run with EBADF. Breaks IO-05."""

    def __init__(self) -> None:
        super().__init__(DiesOfClosed())


@READINESS_FAULTS.plant
class StaleEventToReusedFd(SteppedLoop):
    """1 libuv joyent-826 and 36 swift-nio 341, 1799: events are kept by number, so one of a closed fd goes
    to the next owner of its number. Breaks IO-06."""

    def _process_events(self, event_list: list[tuple[selectors.SelectorKey, int]]) -> None:
        for key, mask in event_list:
            for place, direction in enumerate((selectors.EVENT_READ, selectors.EVENT_WRITE)):
                if mask & direction:
                    self._ready.append(asyncio.Handle(self._deliver, (key.fd, place), self))

    def _deliver(self, fd: int, place: int) -> None:
        owner = self._selector.get_map().get(fd)
        if owner and owner.data[place]:
            self._call_handle(owner.data[place])


@READINESS_FAULTS.plant
class HangUpUnseen(SteppedLoop):
    """27 twisted 2809: a hang-up is mapped to neither direction: the loop spins and tells nobody. Breaks
    IO-07."""

    def __init__(self) -> None:
        super().__init__(HangUpUnmapped())


@READINESS_FAULTS.plant
class ClosedUnderfoot(SteppedLoop):
    """31 trio 1272: who waits for a socket that is closed underfoot waits for ever. Breaks IO-11."""

    claims = frozenset({"lost-waits"})  # CPython's own loop has the fault, and does not claim to be without
