"""Faults in cancelling handles, futures and tasks (rules CAN), and in what becomes of exceptions (rules
EXC)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from faulty_base import FaultBed, SteppedLoop

CANCELLATION_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@CANCELLATION_FAULTS.plant
class CancelledInBatchRuns(SteppedLoop):
    """22 pyodide 2011, as seen in rloop 0.5: a handle runs that an earlier callback of its batch cancelled.
    Breaks CAN-01."""

    def _call_batch(self) -> None:
        batch = [self._ready.popleft() for _ in range(len(self._ready))]
        frozen = [(each._callback, each._args) for each in batch if not each._cancelled]
        for handle in [each for each in batch if not each._cancelled]:
            handle._callback, handle._args = frozen.pop(0)
            handle._run()


class UnstoppableTimer(asyncio.TimerHandle):
    """A timer that only notes that it was cancelled."""

    __slots__ = ("noted",)

    def cancel(self) -> None:
        self.noted = True

    def cancelled(self) -> bool:
        return getattr(self, "noted", False)


@CANCELLATION_FAULTS.plant
class CancelledTimerRuns(SteppedLoop):
    """22 pyodide 2011: a cancelled timer is marked, and runs all the same. Breaks CAN-01."""

    timer_type = UnstoppableTimer


class TouchyHandle(asyncio.Handle):
    """A handle that can be cancelled once."""

    __slots__ = ()

    def cancel(self) -> None:
        if self._cancelled:
            raise RuntimeError("handle is already cancelled")
        super().cancel()


@CANCELLATION_FAULTS.plant
class SecondCancelRaises(SteppedLoop):
    """invented: cancelling a handle twice raises RuntimeError. Breaks CAN-01."""

    handle_type = TouchyHandle


class DenyingHandle(asyncio.Handle):
    """A handle that never admits to be cancelled."""

    __slots__ = ()

    def cancelled(self) -> bool:
        return False


class DenyingTimer(asyncio.TimerHandle):
    """A timer that never admits to be cancelled."""

    __slots__ = ()

    def cancelled(self) -> bool:
        return False


@CANCELLATION_FAULTS.plant
class CancelledLies(SteppedLoop):
    """seen in rloop 0.5, which has no such answer: cancelled() is false after cancel(). Breaks CAN-02."""

    handle_type = DenyingHandle
    timer_type = DenyingTimer


class EagerToPleaseFuture(asyncio.Future[Any]):
    """A future whose cancel() always claims success."""

    def cancel(self, msg: Any | None = None) -> bool:
        super().cancel(msg)
        return True


@CANCELLATION_FAULTS.plant
class SecondFutureCancelTrue(SteppedLoop):
    """invented: Future.cancel() is true though the future was done before. Breaks CAN-03."""

    def create_future(self) -> asyncio.Future[Any]:
        return EagerToPleaseFuture(loop=self)


class SpeechlessFuture(asyncio.Future[Any]):
    """A future that forgets the message it was cancelled with."""

    def cancel(self, msg: Any | None = None) -> bool:  # noqa: ARG002 - dropping it is the fault
        return super().cancel()


@CANCELLATION_FAULTS.plant
class CancelMessageLost(SteppedLoop):
    """invented: the CancelledError of a future lacks the message given to cancel(). Breaks CAN-03."""

    def create_future(self) -> asyncio.Future[Any]:
        return SpeechlessFuture(loop=self)


class DeafToItself(asyncio.Task[Any]):
    """A task that cannot be cancelled while it runs."""

    def cancel(self, msg: Any | None = None) -> bool:
        return self is asyncio.current_task(self.get_loop()) or super().cancel(msg)


class DeafAtFirst(asyncio.Task[Any]):
    """A task that cannot be cancelled before its first step."""

    def cancel(self, msg: Any | None = None) -> bool:
        return inspect.getcoroutinestate(self.get_coro()) == inspect.CORO_CREATED or super().cancel(msg)  # type: ignore[arg-type]


class OwnTasksLoop(SteppedLoop):
    """Makes tasks of `task_type`."""

    task_type: type[asyncio.Task[Any]] = asyncio.Task

    def create_task(
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        return self.task_type(coro, loop=self, name=name, context=context)  # type: ignore[arg-type]


@CANCELLATION_FAULTS.plant
class SelfCancelDropped(OwnTasksLoop):
    """invented: a task that cancels itself meets no CancelledError at its next await. Breaks CAN-04."""

    task_type = DeafToItself


@CANCELLATION_FAULTS.plant
class CancelledBeforeStartRuns(OwnTasksLoop):
    """invented: a task cancelled before its first step runs its body to the end. Breaks CAN-05."""

    task_type = DeafAtFirst


@CANCELLATION_FAULTS.plant
class HandlerWithoutLoop(SteppedLoop):
    """seen in rloop 0.5: the exception handler is called with one argument, the context. Breaks EXC-01."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(context)


@CANCELLATION_FAULTS.plant
class HandlerMissesException(SteppedLoop):
    """invented: the context given to the exception handler lacks the key "exception". Breaks EXC-01."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        super().call_exception_handler({key: context[key] for key in context if key != "exception"})


@CANCELLATION_FAULTS.plant
class BatchLostAfterError(SteppedLoop):
    """invented: what follows a raising callback in its batch is dropped. Breaks EXC-01."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        super().call_exception_handler(context)
        self.raised = True

    def _call_batch(self) -> None:
        self.raised = False
        for handle in [self._ready.popleft() for _ in range(len(self._ready))]:
            if not self.raised:
                self._call_handle(handle)


@CANCELLATION_FAULTS.plant
class BrokenHandlerKills(SteppedLoop):
    """invented: an exception handler that raises ends the run. Breaks EXC-02."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        handler: Callable[..., object] | None = self._exception_handler
        if handler is None:
            self.default_exception_handler(context)
        else:
            handler(self, context)


@CANCELLATION_FAULTS.plant
class InterruptSwallowed(SteppedLoop):
    """34 gevent 790: KeyboardInterrupt in a callback is reported like any error, and the loop goes on. Breaks
    EXC-03."""

    def _call_handle(self, handle: Any) -> None:
        try:
            super()._call_handle(handle)
        except KeyboardInterrupt as error:
            self.call_exception_handler({"message": "callback interrupted", "exception": error})


@CANCELLATION_FAULTS.plant
class InterruptDropsQueue(SteppedLoop):
    """invented: KeyboardInterrupt leaves the loop with an empty queue. Breaks EXC-03."""

    def _call_handle(self, handle: Any) -> None:
        try:
            super()._call_handle(handle)
        except BaseException:
            self._ready.clear()
            raise
