"""How the faults of `faulty_jobs` show."""

from __future__ import annotations

import asyncio
import contextvars
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from symptoms import error_of, run, shows, socket_pairs, turn

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


@shows("cancelled_recv_keeps_reader", right=False)
def a_cancelled_recv_has_no_reader(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(ours, _)]:
        task = loop.create_task(loop.sock_recv(ours, 8))
        turn(loop)
        task.cancel()
        turn(loop)
        return loop.remove_reader(ours)


@shows("cancelled_recv_takes_its_batch", "cancelled_recv_reads_on_its_way_out", right=b"data")
def a_recv_cancelled_beside_its_data_leaves_it(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(ours, peer)]:
        task = loop.create_task(loop.sock_recv(ours, 8))
        turn(loop)
        peer.send(b"data")
        loop.call_soon(task.cancel)
        turn(loop)
        return ours.recv(8)


@shows("cancelled_accept_takes_connection", right=False)
def a_cancelled_accept_has_no_reader(loop: Any, _patience_s: float) -> object:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        task = loop.create_task(loop.sock_accept(door))
        turn(loop)
        task.cancel()
        turn(loop)
        return loop.remove_reader(door)


@shows("cancelled_connection_leaks", right=0)
def a_cancelled_connection_leaves_no_socket(loop: Any, _patience_s: float) -> object:
    with socket.create_server(("127.0.0.1", 0)) as door:
        before = len(os.listdir("/dev/fd"))
        task = loop.create_task(loop.create_connection(asyncio.Protocol, *door.getsockname()))
        turn(loop, 1)
        task.cancel()
        turn(loop)
        return len(os.listdir("/dev/fd")) - before


@shows("cancellation_is_late", right=True)
def a_cancelled_task_ends_soon(loop: Any, _patience_s: float) -> object:
    future = loop.create_future()

    async def body() -> None:
        await future

    task = loop.create_task(body())
    turn(loop)
    task.cancel()
    turn(loop)
    return task.cancelled()
