"""Faults in what a loop ends and reports: generators, the executor, failures (rules LIF, EXC), and in what it
lets be watched (rules IO)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import contextvars
import logging
import select
import selectors
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from faulty_base import FaultBed, SteppedLoop

ENDING_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()
ELSEWHERE: FaultBed[asyncio.AbstractEventLoop] = FaultBed()
"""What this Python promises nothing of, so that it breaks no rule here."""


def plant_from_312(made: type[Any]) -> type[Any]:
    """Before Python 3.12 nothing is promised that this could break."""
    return (ENDING_FAULTS if sys.version_info >= (3, 12) else ELSEWHERE).plant(made)


@ENDING_FAULTS.plant
class GeneratorsLeftOpen(SteppedLoop):
    """seen in zloop 0.0.1: shutdown_asyncgens does nothing. Breaks LIF-09."""

    async def shutdown_asyncgens(self) -> None:
        pass


@ENDING_FAULTS.plant
class GeneratorErrorsUnheard(SteppedLoop):
    """invented: what the end of a generator raises in shutdown_asyncgens is dropped. Breaks LIF-09."""

    async def shutdown_asyncgens(self) -> None:
        self._asyncgens_shutdown_called = True
        generators = list(self._asyncgens)
        self._asyncgens.clear()
        await asyncio.gather(*(agen.aclose() for agen in generators), return_exceptions=True)


@ENDING_FAULTS.plant
class LateGeneratorUnwarned(SteppedLoop):
    """invented: a generator begun after shutdown_asyncgens gets no warning. Breaks LIF-09."""

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        self._asyncgens.add(agen)


@ENDING_FAULTS.plant
class DroppedGeneratorForgotten(SteppedLoop):
    """seen in zloop 0.0.1: a generator that is dropped half-way is never closed. Breaks LIF-09."""

    def __init__(self) -> None:
        self.graveyard: list[Any] = []
        super().__init__()

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        self._asyncgens.discard(agen)
        self.graveyard.append(agen)


@ENDING_FAULTS.plant
class ExecutorNotAwaited(SteppedLoop):
    """invented: shutdown_default_executor does not wait for the jobs. Breaks LIF-10."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)


@ENDING_FAULTS.plant
class ExecutorComesBack(SteppedLoop):
    """invented: after shutdown_default_executor a fresh executor is made without a word. Breaks LIF-10."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        await super().shutdown_default_executor(*([timeout] if sys.version_info >= (3, 12) else []))
        self._executor_shutdown_called = False
        self._default_executor = ThreadPoolExecutor(1)


@plant_from_312
class HandlerInForeignContext(SteppedLoop):
    """invented: the exception handler runs in a context of its own. Breaks EXC-04."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._exception_handler is None:
            super().call_exception_handler(context)
        else:
            contextvars.Context().run(self._exception_handler, self, context)


@ENDING_FAULTS.plant
class UnaskedFutureSilent(SteppedLoop):
    """invented: a failed future that nobody asked is collected in silence. Breaks EXC-05."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if "never retrieved" not in context.get("message", ""):
            super().call_exception_handler(context)


@ENDING_FAULTS.plant
class UnaskedTaskToldTwice(SteppedLoop):
    """invented: a failed task that nobody asked is reported twice when it is collected. Breaks EXC-05."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        super().call_exception_handler(context)
        if isinstance(context.get("future"), asyncio.Task):
            super().call_exception_handler(context)


class TimingLoop(SteppedLoop):
    """Times callbacks in debug mode, as CPython's loop does and the stepped one does not."""

    slow_from_s = property(lambda self: self.slow_callback_duration)

    def _call_handle(self, handle: Any) -> None:
        began = self.time()
        super()._call_handle(handle)
        if self._debug and self.time() - began >= self.slow_from_s:
            logging.getLogger("asyncio").warning("%r took %.3f seconds", handle, self.time() - began)


@ENDING_FAULTS.plant
class SlownessUnnoticed(TimingLoop):
    """invented: debug mode times callbacks by a limit that nobody can change. Breaks EXC-06."""

    slow_from_s = 0.1  # type: ignore[assignment]


@ENDING_FAULTS.plant
class CoroutineFunctionAccepted(TimingLoop):
    """seen in uvloop 0.23 and rloop 0.5: debug mode takes a coroutine function for a callback. Breaks
    EXC-06."""

    def _check_callback(self, callback: Any, method: str) -> None:
        if not callable(callback) and not asyncio.iscoroutine(callback):
            super()._check_callback(callback, method)


@ENDING_FAULTS.plant
class TransportsUnguarded(SteppedLoop):
    """25 python/asyncio 372, gh-88968: add_reader takes the descriptor of a transport. Breaks IO-08."""

    def _ensure_fd_no_transport(self, fd: Any) -> None:
        pass


@ENDING_FAULTS.plant
class PlainFilesIgnored(SteppedLoop):
    """seen in rloop 0.5: a regular file is taken and its reader never called. Breaks IO-09."""

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> Any:
        try:
            return super()._add_reader(fd, callback, *args)
        except PermissionError:
            return asyncio.Handle(callback, args, self)


@ENDING_FAULTS.plant
class PlainFilesByHalf(SteppedLoop):
    """invented: a regular file is always ready for readers and refused to writers. Breaks IO-09."""

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> Any:
        try:
            return super()._add_reader(fd, callback, *args)
        except PermissionError:
            return self.call_soon(callback, *args)


class HangUpsDropped(selectors.EpollSelector):
    """Keeps to itself what is hung up on both sides."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        kernel: select.epoll = self._selector  # type: ignore[attr-defined]
        hung_up = {fd for fd, flags in kernel.poll(0) if flags & select.EPOLLHUP}
        return [(key, mask) for key, mask in super().select(timeout) if key.fd not in hung_up]


@ENDING_FAULTS.plant
class RefusalUnheard(SteppedLoop):
    """invented: the writer of a socket whose connection is refused is never called. Breaks IO-10."""

    def __init__(self) -> None:
        super().__init__(HangUpsDropped())
