"""How the faults of `faulty_jobs` show."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from symptoms import error_of, run, shows, turn

VALUE: contextvars.ContextVar[int] = contextvars.ContextVar("value", default=0)


def _ended(future: asyncio.Future[Any], loop: Any, patience_s: float) -> object:
    """The future's result, or the name of its exception."""
    future.add_done_callback(lambda _: loop.stop())
    run(loop, patience_s)
    error = future.exception()
    return type(error).__name__ if error else future.result()


@shows("cancelled_job_runs", right=[])
def a_queued_job_that_is_cancelled_does_not_run(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    hold = threading.Event()
    pool = ThreadPoolExecutor(1)
    loop.set_default_executor(pool)
    loop.run_in_executor(None, hold.wait, 10)
    loop.run_in_executor(None, log.append, "ran").cancel()
    turn(loop)
    last = loop.run_in_executor(None, int)
    hold.set()
    _ended(last, loop, max(1.0, patience_s))
    return log


@shows("error_of_job_lost", right="ValueError")
def the_error_of_a_job_comes_back(loop: Any, patience_s: float) -> object:
    return _ended(loop.run_in_executor(None, int, "none"), loop, max(1.0, patience_s))


@shows("any_executor_will_do", right="TypeError")
def the_default_executor_is_checked(loop: Any, _patience_s: float) -> object:
    return error_of(loop.set_default_executor, object())


@shows("thread_without_context", right=7)
def a_thread_has_the_context(loop: Any, patience_s: float) -> object:
    async def body() -> int:
        VALUE.set(7)
        return await asyncio.to_thread(VALUE.get)

    return _ended(loop.create_task(body()), loop, max(1.0, patience_s))


@shows("executor_ignored", right=True)
def a_job_runs_where_it_shall(loop: Any, patience_s: float) -> object:
    with ThreadPoolExecutor(1, "mine") as pool:
        job = loop.run_in_executor(pool, threading.current_thread)
        thread = _ended(job, loop, max(1.0, patience_s))
    return str(getattr(thread, "name", "")).startswith("mine")
