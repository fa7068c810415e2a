"""Twisted's reactors: SelectReactor, PollReactor, EPollReactor, KQueueReactor and the one on asyncio.

A reactor that was stopped cannot run again, one that was crashed can, and that is what its own test runner
does. So stop() is ``IReactorCore.crash``.
"""

from __future__ import annotations

import asyncio
import importlib
import select
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReadWriteDescriptor
from zope.interface import implementer

from .driver import (
    ASYNCIO_ERRORS,
    CLOSING,
    CONTEXTS,
    EXCEPTIONS,
    AccountingDriver,
    DriverHandle,
    DriverTimer,
    number_of,
    refuse_context,
)

REACTORS = {
    "epoll": "twisted.internet.epollreactor:EPollReactor",
    "kqueue": "twisted.internet.kqreactor:KQueueReactor",
    "poll": "twisted.internet.pollreactor:PollReactor",
    "select": "twisted.internet.selectreactor:SelectReactor",
    "asyncio": "twisted.internet.asyncioreactor:AsyncioSelectorReactor",
}


def _reactor(name: str) -> Any:
    module, _, attribute = REACTORS[name].partition(":")
    build = getattr(importlib.import_module(module), attribute)
    return build(asyncio.SelectorEventLoop()) if name == "asyncio" else build()


class TwistedLoop(AccountingDriver):
    """A fresh reactor as the suite wants it; as on Linux and macOS, epoll or poll unless one is named."""

    _world = "the reactor"
    not_offered: ClassVar[Mapping[str, str]] = {
        "EXC-01": EXCEPTIONS,
        "EXC-02": EXCEPTIONS,
        "ORD-11": CONTEXTS,
        "LIF-04": CLOSING,
        "LIF-05": CLOSING,
        "LIF-06": ASYNCIO_ERRORS,
        "ORD-05": "callLater(0) is all there is, for both",
        "THR-04": "a reactor that was stopped takes calls, and never makes them",
    }

    def __init__(self, reactor: str = "") -> None:
        self._reactor = _reactor(reactor or ("epoll" if hasattr(select, "epoll") else "poll"))
        self._watched: dict[int, _Watched] = {}

    # -- running -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._reactor.run(installSignalHandlers=False)

    def stop(self) -> None:
        if not self._running:
            raise NotImplementedError("a reactor that does not run cannot be stopped")
        self._reactor.crash()

    def _release(self) -> None:
        self._reactor.removeAll()
        self._reactor.waker.connectionLost(None)

    # -- callbacks ---------------------------------------------------------------------------------------

    def time(self) -> float:
        return float(self._reactor.seconds())

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        refuse_context(context)
        self._reactor.callFromThread(callback, *args)
        return DriverHandle(self)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        refuse_context(context)
        if delay < 0:
            raise NotImplementedError("callLater takes no negative delay")
        try:
            call = self._reactor.callLater(delay, callback, *args)
        except AssertionError as error:  # how Twisted refuses
            raise ValueError(str(error)) from None
        return DriverTimer(call.getTime(), lambda: call.active() and call.cancel(), self)

    # -- files -------------------------------------------------------------------------------------------

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        watched = self._watching(fd)
        watched.on_read = lambda: callback(*args)
        self._reactor.addReader(watched)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        watched = self._watching(fd)
        watched.on_write = lambda: callback(*args)
        self._reactor.addWriter(watched)

    def remove_reader(self, fd: Any) -> bool:
        watched = self._watching(fd)
        known, watched.on_read = watched.on_read is not None, None
        self._reactor.removeReader(watched)
        return known

    def remove_writer(self, fd: Any) -> bool:
        watched = self._watching(fd)
        known, watched.on_write = watched.on_write is not None, None
        self._reactor.removeWriter(watched)
        return known

    def _watching(self, fd: Any) -> _Watched:
        number = number_of(fd)
        return self._watched.setdefault(number, _Watched(number))


@implementer(IReadWriteDescriptor)
class _Watched:
    """One file, with what to call when it is ready."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.on_read: Callable[[], object] | None = None
        self.on_write: Callable[[], object] | None = None

    def fileno(self) -> int:
        return self.number

    def logPrefix(self) -> str:  # noqa: N802 - the interface's name
        return "conformance"

    def doRead(self) -> None:  # noqa: N802
        if self.on_read:
            self.on_read()

    def doWrite(self) -> None:  # noqa: N802
        if self.on_write:
            self.on_write()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        """The reactor has removed the file; a hang-up is told in this way alone, so both sides are woken."""
        on_read, on_write = self.on_read, self.on_write
        self.on_read = self.on_write = None
        for wake in (on_read, on_write):
            if wake and reason.check(ConnectionDone, ConnectionLost) is ConnectionLost:
                wake()
