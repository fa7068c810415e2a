"""Faults in jobs of executors (rules EXE and CAN-15) and in calls on sockets (rules CAN-12 to CAN-14)."""

from __future__ import annotations

import asyncio
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
