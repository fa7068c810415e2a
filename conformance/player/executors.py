"""Actions on thread and process pools."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from .cancelling import Cancelling
from .stage import VALUE
from .tasks import Walk, outcome

PROCESS_S = 3.0
"""A pool that makes a process first may take so long, times the tolerance."""


class Executors(Cancelling):
    """workers, not_an_executor, job, process, to_thread."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._executor_pools: list[Executor] = []
        self._process_pool: ProcessPoolExecutor | None = None

    def do_workers(self, count: int) -> None:
        pool = ThreadPoolExecutor(max(1, count))
        self._executor_pools.append(pool)
        self._set_default(pool)

    def do_not_an_executor(self) -> None:
        self._set_default(object())

    def _set_default(self, executor: Any) -> None:
        error = None
        try:
            self.loop.set_default_executor(executor)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("default-executor", type(executor).__name__, error=error)

    def do_job(self, label: str, text: str) -> None:
        job = self._job_of(label, text)
        self._submit_job(label, text, None, job, self.entrust(label, job))

    def do_process(self, label: str, text: str) -> None:
        if self._process_pool is None:
            self._process_pool = ProcessPoolExecutor(1, multiprocessing.get_context("fork"))
            self._executor_pools.append(self._process_pool)
        work: list[Any] = [os.getpid] if text == "pid" else [int, label]
        self._submit_job(label, text, self._process_pool, *work)

    def _submit_job(self, label: str, text: str, pool: Executor | None, *work: Any) -> None:
        if label in self.futures:
            return
        self.note("job", label, asks=text, here=os.getpid())
        try:
            future = self.futures[label] = self.loop.run_in_executor(pool, *work)
        except Exception as error:
            self.note("job-done", label, error=f"{type(error).__name__}: {error}", outcome="refused")
            return
        self.expect(label, PROCESS_S * self.tolerance if pool else 0.0)
        future.add_done_callback(lambda done: self._job_done(label, done))

    def _job_of(self, label: str, text: str) -> Callable[[], Any]:
        def work(_: object = None) -> Any:
            self.note("job-began", label)
            if text == "error":
                raise ValueError(label)
            return VALUE.get() if text == "value" else label

        return work

    def _job_done(self, label: str, future: asyncio.Future[Any]) -> None:
        self.note("job-done", label, outcome=outcome(future))
        self.arrived(label)

    async def step_to_thread(self, _walk: Walk, label: str, text: str) -> None:
        """A ValueError is noted and forgotten; anything else goes on."""
        self.note("job", label, asks=text, value=VALUE.get())
        try:
            told = f"result {await asyncio.to_thread(self._job_of(label, text))!r}"
        except ValueError as error:
            told = f"ValueError: {error}"
        self.note("job-done", label, outcome=told)

    def close_pools(self) -> None:
        for pool in self._executor_pools:
            # The pipes of a process pool are closed by a thread that goes on until its process has ended.
            pool.shutdown(wait=pool is self._process_pool, cancel_futures=True)
