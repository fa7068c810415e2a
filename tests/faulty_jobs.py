"""Faults in jobs of executors (rules EXE and CAN-15) and in calls on sockets (rules CAN-12 to CAN-14)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from faulty_base import FaultBed, SteppedLoop
from faulty_tasks import OwnPartsLoop

JOB_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


# -- jobs ---------------------------------------------------------------------------------------------------


class JobLoop(SteppedLoop):
    """Hands its jobs to threads; the futures they report to can be spoilt."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        job = super().run_in_executor(executor, func, *args)
        reported: asyncio.Future[Any] = self.create_future()
        job.add_done_callback(lambda done: self.report(done, reported))
        return reported

    def report(self, job: asyncio.Future[Any], to: asyncio.Future[Any]) -> None:
        if to.done() or job.cancelled():
            return
        error = job.exception()
        if error is None:
            to.set_result(job.result())
        else:
            to.set_exception(error)


@JOB_FAULTS.plant
class CancelledJobRuns(JobLoop):
    """invented: cancelling the future of a queued job does not reach the queue. Breaks CAN-15."""


@JOB_FAULTS.plant
class ErrorOfJobLost(JobLoop):
    """invented: a job that raises seems to have returned None. Breaks EXE-01."""

    def report(self, job: asyncio.Future[Any], to: asyncio.Future[Any]) -> None:
        if not to.done():
            to.set_result(None if job.cancelled() or job.exception() else job.result())


@JOB_FAULTS.plant
class AnyExecutorWillDo(SteppedLoop):
    """seen in uvloop 0.23 and rloop 0.5: set_default_executor() takes anything. Breaks EXE-01."""

    def set_default_executor(self, executor: Any) -> None:
        self._default_executor = executor if hasattr(executor, "submit") else None


async def bare_to_thread(work: Callable[..., Any], /, *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work, *args)


@JOB_FAULTS.plant
class ThreadWithoutContext(OwnPartsLoop):
    """invented: what to_thread() runs sees none of the caller's context variables. Breaks EXE-01."""

    parts: ClassVar[dict[str, Any]] = {"to_thread": bare_to_thread}


@JOB_FAULTS.plant
class ExecutorIgnored(SteppedLoop):
    """invented: run_in_executor() hands every job to the default executor. Breaks EXE-02."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # noqa: ARG002 - it is the fault
        return super().run_in_executor(None, func, *args)


# -- calls on sockets ---------------------------------------------------------------------------------------


class ForgetfulCalls(SteppedLoop):
    """Waits for sockets by a registration that only readiness takes back."""

    async def until_done(self, sock: socket.socket, attempt: Callable[[], Any]) -> Any:
        waiting = self.create_future()

        def ready() -> None:
            self.remove_reader(sock)
            result = attempt()
            if not waiting.done():
                waiting.set_result(result)

        try:
            return attempt()
        except BlockingIOError:
            self.add_reader(sock, ready)
        return await waiting


@JOB_FAULTS.plant
class CancelledRecvKeepsReader(ForgetfulCalls):
    """11 bpo-30064: a cancelled sock_recv() leaves its reader, which takes the next data. Breaks CAN-12."""

    async def sock_recv(self, sock: socket.socket, nbytes: int) -> Any:
        return await self.until_done(sock, lambda: sock.recv(nbytes))


@JOB_FAULTS.plant
class CancelledAcceptTakesConnection(ForgetfulCalls):
    """11 bpo-30064: a cancelled sock_accept() leaves its reader, which takes the next connection. Breaks
    CAN-12."""

    async def sock_accept(self, sock: socket.socket) -> Any:
        return await self.until_done(sock, sock.accept)


@JOB_FAULTS.plant
class CancelledRecvTakesItsBatch(SteppedLoop):
    """invented: the reader of a sock_recv() that was cancelled in the same batch takes the data and drops it.
    Breaks CAN-12."""

    def _sock_recv(self, fut: asyncio.Future[bytes], sock: socket.socket, n: int) -> None:
        if fut.cancelled():
            sock.recv(n)
        else:
            super()._sock_recv(fut, sock, n)


@JOB_FAULTS.plant
class CancelledRecvReadsOnItsWayOut(SteppedLoop):
    """invented: a cancelled sock_recv() looks once more whether there is data, and takes it along. Breaks
    CAN-12."""

    async def sock_recv(self, sock: socket.socket, nbytes: int) -> Any:
        try:
            return await super().sock_recv(sock, nbytes)
        except asyncio.CancelledError:
            with contextlib.suppress(BlockingIOError):
                sock.recv(nbytes)
            raise


@JOB_FAULTS.plant
class CancelledConnectionLeaks(SteppedLoop):
    """invented: the socket of a cancelled create_connection() stays open. Breaks CAN-13."""

    def __init__(self) -> None:
        super().__init__()
        self.leaked: list[socket.socket] = []

    async def create_connection(self, *arguments: Any, **keywords: Any) -> Any:
        try:
            return await super().create_connection(*arguments, **keywords)
        except asyncio.CancelledError:
            self.leaked.append(socket.socket())
            raise

    def close(self) -> None:
        for each in self.leaked:
            each.close()
        super().close()


class DrowsyFuture(asyncio.Future[Any]):
    """A future that takes its time before it is cancelled."""

    def cancel(self, msg: Any | None = None) -> bool:
        if not self.done():
            self.get_loop().call_later(5, super().cancel, msg)
        return not self.done()


@JOB_FAULTS.plant
class CancellationIsLate(SteppedLoop):
    """invented: a waiting task hears of its cancellation seconds later. Breaks CAN-14."""

    def create_future(self) -> asyncio.Future[Any]:
        return DrowsyFuture(loop=self)
