"""Every faulty selector, by name (rules SEL): `faulty_selectors:empty_select_returns` is a factory to judge.

Each is one of the standard library's selectors with one thing spoilt. Like the faulty loops they know the
private attributes of what they extend.
"""

from __future__ import annotations

import errno
import math
import os
import select
import selectors
from collections.abc import Mapping
from typing import Any

from faulty_base import FaultBed, SelectorFault
from faulty_readiness import EdgeTriggeredEpoll, HangUpUnmapped
from faulty_selector_lives import LIFETIME_FAULTS

SELECTOR_FAULTS: FaultBed[selectors.BaseSelector] = FaultBed()

Ready = list[tuple[selectors.SelectorKey, int]]

BATCH = 4


class OpenEpoll(selectors.EpollSelector):
    """The standard epoll selector, with its private parts declared; sound."""

    _fd_to_key: dict[int, selectors.SelectorKey]
    _selector: select.epoll


@SELECTOR_FAULTS.plant
class RegisterTwiceAccepted(OpenEpoll):
    """invented: registering a registered descriptor modifies it, without KeyError. Breaks SEL-01."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if fileobj in self.get_map():
            return self.modify(fileobj, events, data)
        return super().register(fileobj, events, data)


@SELECTOR_FAULTS.plant
class UnknownUnregisterAccepted(OpenEpoll):
    """invented: unregistering what is not registered returns None, without KeyError. Breaks SEL-01."""

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        try:
            return super().unregister(fileobj)
        except KeyError:
            return None  # type: ignore[return-value]


@SELECTOR_FAULTS.plant
class EventsMasked(OpenEpoll):
    """invented: unknown event bits are dropped, without ValueError. Breaks SEL-01."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        known = selectors.EVENT_READ | selectors.EVENT_WRITE
        return super().register(fileobj, events & known or events, data)


@SELECTOR_FAULTS.plant
class MapIsSnapshot(OpenEpoll):
    """invented: get_map returns a copy that does not follow later changes. Breaks SEL-02."""

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return dict(super().get_map())


@SELECTOR_FAULTS.plant
class ModifyKeepsOldData(OpenEpoll):
    """invented: modify with the same events ignores the new data. Breaks SEL-02."""

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self.get_map().get(fileobj)
        return key if key and key.events == events else super().modify(fileobj, events, data)


@SELECTOR_FAULTS.plant
class FailedRegisterLeavesKey(OpenEpoll):
    """10 bpo-30014, for register: a descriptor the kernel refused stays in the map. Breaks SEL-03."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        try:
            return super().register(fileobj, events, data)
        except OSError:
            fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
            self._fd_to_key[fd] = selectors.SelectorKey(fileobj, fd, events, data)
            raise


@SELECTOR_FAULTS.plant
class OldCompletionsTrusted(OpenEpoll):
    """35 lxc 4304: what was reported once is reported again, without another look. Breaks SEL-07."""

    completed: Ready = []  # noqa: RUF012 - replaced, never changed

    def select(self, timeout: float | None = None) -> Ready:
        trusted = [(key, mask) for key, mask in self.completed if self._fd_to_key.get(key.fd) is key]
        self.completed = [] if trusted else super().select(timeout)
        return trusted or self.completed


@SELECTOR_FAULTS.plant
class HalfDeadPipesRefused(OpenEpoll):
    """30 mio 582: registering a pipe whose reader has gone fails with EPIPE. Breaks SEL-07."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        poller = select.poll()
        poller.register(key.fd, select.POLLOUT)
        if any(bits & select.POLLERR for _, bits in poller.poll(0)):
            self.unregister(fileobj)
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return key


@SELECTOR_FAULTS.plant
class FailedModifyLeavesKey(OpenEpoll):
    """10 bpo-30014: a modify that the kernel refused leaves its new events in the map. Breaks SEL-03."""

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self.get_key(fileobj)
        try:
            return super().modify(fileobj, events, data)
        except OSError:
            self._fd_to_key[key.fd] = key._replace(events=events, data=data)
            raise


@SELECTOR_FAULTS.plant
class TimeoutRoundedDown(OpenEpoll):
    """7 mio 1614 and 6 bpo-20505: the timeout is rounded down, below a millisecond to nothing. Breaks
    SEL-04."""

    def select(self, timeout: float | None = None) -> Ready:
        # Half a millisecond less, because the sound selector rounds up what it is given.
        return super().select(timeout and (math.floor(timeout * 1e3) - 0.5) * 1e-3)


@SELECTOR_FAULTS.plant
class NegativeTimeoutBlocks(OpenEpoll):
    """invented: a negative timeout waits for ever, as the bare system call does. Breaks SEL-04."""

    def select(self, timeout: float | None = None) -> Ready:
        return super().select(None if timeout is not None and timeout < 0 else timeout)


@SELECTOR_FAULTS.plant
class EmptySelectReturns(OpenEpoll):
    """9 bpo-29255: with nothing registered the timeout is ignored. Breaks SEL-05."""

    def select(self, timeout: float | None = None) -> Ready:
        return super().select(timeout) if self.get_map() else []


@SELECTOR_FAULTS.plant
class EmptySelectRaises(OpenEpoll):
    """9 bpo-23009: with nothing registered the kernel is asked for no events, and says EINVAL. Breaks
    SEL-05."""

    def select(self, timeout: float | None = None) -> Ready:
        if not self.get_map():
            self._selector.poll(0, 0)
        return super().select(timeout)


@SELECTOR_FAULTS.plant
class UnregisterNeedsOpenFd(OpenEpoll):
    """invented: unregister fails once the descriptor is closed, and its key stays. Breaks SEL-06."""

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        os.fstat(self.get_key(fileobj).fd)
        return super().unregister(fileobj)


@SELECTOR_FAULTS.plant
class KernelNeverTold(OpenEpoll):
    """2 libuv 1148, uvloop 61: unregister forgets the kernel, which goes on reporting. Breaks SEL-07."""

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self.get_key(fileobj)
        del self._fd_to_key[key.fd]
        return key


@SELECTOR_FAULTS.plant
class LateRemoval(OpenEpoll):
    """3 libuv 4323: removals reach the kernel at the next wait, and hit a new registration. Breaks SEL-07."""

    def __init__(self) -> None:
        super().__init__()
        self.removed: list[int] = []

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self.get_key(fileobj)
        del self._fd_to_key[key.fd]
        self.removed.append(key.fd)
        return key

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        try:
            return super().register(fileobj, events, data)
        except FileExistsError:
            key = selectors.SelectorKey(
                fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data
            )
            self._fd_to_key[key.fd] = key
            return key

    def select(self, timeout: float | None = None) -> Ready:
        for fd in self.removed:
            try:
                self._selector.unregister(fd)
            except OSError:
                continue
        self.removed.clear()
        return super().select(timeout)


@SELECTOR_FAULTS.plant
class ReportsEdges(EdgeTriggeredEpoll):
    """invented: what was ready before and still is goes unreported. Breaks SEL-07."""


@SELECTOR_FAULTS.plant
class HangUpDropped(HangUpUnmapped):
    """27 twisted 2809: a hang-up without data is reported in neither direction. Breaks SEL-07."""


@SELECTOR_FAULTS.plant
class BatchCountsFds(OpenEpoll):
    """8 gh-110038: room is made for one event per descriptor, and those that are both ways crowd out others.
    Breaks SEL-07."""

    def select(self, timeout: float | None = None) -> Ready:
        both = (selectors.EVENT_READ, selectors.EVENT_WRITE)
        filters = [(key, way) for key, mask in super().select(timeout) for way in both if mask & way]
        merged: dict[selectors.SelectorKey, int] = {}
        for key, way in filters[: len(self.get_map())]:
            merged[key] = merged.get(key, 0) | way
        return list(merged.items())


@SELECTOR_FAULTS.plant
class LowNumbersFirst(selectors.SelectSelector):
    """9 bpo-23009 in kind: a batch holds four, always those with the lowest numbers. Breaks SEL-08."""

    def select(self, timeout: float | None = None) -> Ready:
        return sorted(super().select(timeout), key=lambda event: event[0].fd)[:BATCH]


SELECTOR_FAULTS.update(LIFETIME_FAULTS)


def __getattr__(name: str) -> Any:
    """Make each fault's factory an attribute of this module, under the name of the fault (PEP 562)."""
    if name in SELECTOR_FAULTS:
        return SELECTOR_FAULTS[name].factory
    planted = ", ".join(SELECTOR_FAULTS)
    raise AttributeError(f"module {__name__!r} plants no fault {name!r}; it has: {planted}")


__all__ = ["SELECTOR_FAULTS", "SelectorFault"]
