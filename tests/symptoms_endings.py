"""How the faults of `faulty_endings` show."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import AsyncGenerator
from typing import Any

from faulty_endings import TimingLoop
from symptoms import error_of, run, shows, socket_pairs, turn

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


async def numbers(log: list[str], error: Exception | None = None) -> AsyncGenerator[int, None]:
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")
        if error:
            raise error


async def first_of(generator: AsyncGenerator[int, None]) -> int:
    return await anext(generator)


@shows("generators_left_open", right=["closed"])
def shutting_down_closes_a_generator(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    generator = numbers(log)
    loop.run_until_complete(first_of(generator))
    loop.run_until_complete(loop.shutdown_asyncgens())
    observed = list(log)
    loop.run_until_complete(generator.aclose())
    return observed


@shows("generator_errors_unheard", right=["the end"])
def the_handler_hears_of_the_end_of_a_generator(loop: Any, _patience_s: float) -> object:
    heard: list[str] = []
    loop.set_exception_handler(lambda _, context: heard.append(str(context.get("exception"))))
    generator = numbers([], ValueError("the end"))
    loop.run_until_complete(first_of(generator))
    loop.run_until_complete(loop.shutdown_asyncgens())
    return heard


@shows("late_generator_unwarned", right=["ResourceWarning"])
def a_late_generator_is_warned_about(loop: Any, _patience_s: float) -> object:
    generator = numbers([])
    loop.run_until_complete(loop.shutdown_asyncgens())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop.run_until_complete(first_of(generator))
    loop.run_until_complete(generator.aclose())
    return [warning.category.__name__ for warning in caught]


@shows("dropped_generator_forgotten", right=["closed"])
def a_dropped_generator_is_closed(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.run_until_complete(first_of(numbers(log)))
    gc.collect()
    turn(loop, 4)
    return log


@shows("executor_not_awaited", right=True)
def shutting_down_waits_for_a_job(loop: Any, patience_s: float) -> object:
    release, log = threading.Event(), []

    def job() -> None:
        release.wait(patience_s)
        log.append("done")

    loop.run_in_executor(None, job)
    loop.call_later(0.01, release.set)
    loop.run_until_complete(loop.shutdown_default_executor())
    waited = release.is_set()
    release.set()
    return waited


@shows("executor_comes_back", right="RuntimeError")
def a_shut_down_executor_takes_no_job(loop: Any, _patience_s: float) -> object:
    loop.run_until_complete(loop.shutdown_default_executor())
    return error_of(loop.run_in_executor, None, int)


def fail() -> None:
    raise ValueError("on purpose")


if sys.version_info >= (3, 12):

    @shows("handler_in_foreign_context", right=["set"])
    def the_handler_sees_the_context_of_the_callback(loop: Any, _patience_s: float) -> object:
        seen: list[str] = []
        context = contextvars.copy_context()
        context.run(VARIABLE.set, "set")
        loop.set_exception_handler(lambda *_: seen.append(VARIABLE.get()))
        loop.call_soon(fail, context=context)
        turn(loop)
        return seen


@shows("unasked_future_silent", "unasked_task_told_twice", right=[1, 1])
def who_is_never_asked_is_reported_once(loop: Any, _patience_s: float) -> object:
    heard: list[object] = []
    loop.set_exception_handler(lambda *_: heard.append(1))

    async def failing() -> None:
        fail()

    task = loop.create_task(failing())
    turn(loop)
    del task
    future = loop.create_future()
    future.set_exception(ValueError("on purpose"))
    del future
    gc.collect()
    return heard


@shows("slowness_unnoticed", right=["WARNING"], sound=(asyncio.SelectorEventLoop, TimingLoop))
def a_slow_callback_is_logged(loop: Any, _patience_s: float) -> object:
    levels: list[str] = []

    class Levels(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            levels.append(record.levelname)

    handler, logger = Levels(), logging.getLogger("asyncio")
    logger.addHandler(handler)
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    loop.call_soon(threading.Event().wait, 0.02)
    turn(loop)
    logging.disable(disabled)
    logger.removeHandler(handler)
    return levels


@shows("coroutine_function_accepted", right="TypeError")
def debug_mode_takes_no_coroutine_function(loop: Any, _patience_s: float) -> object:
    loop.set_debug(True)
    return error_of(loop.call_soon, first_of)


@shows("transports_unguarded", right="RuntimeError")
def the_descriptor_of_a_transport_is_refused(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as ((ours, _),):
        made = loop.create_connection(asyncio.Protocol, sock=ours.dup())
        transport, _ = loop.run_until_complete(made)
        error = error_of(loop.add_reader, transport.get_extra_info("socket").fileno(), int)
        transport.abort()
        turn(loop)
    return error


@shows("plain_files_ignored", right="PermissionError")
def a_plain_file_is_refused_by_epoll(loop: Any, _patience_s: float) -> object:
    number = os.open(os.devnull, os.O_RDONLY)
    try:
        return error_of(loop.add_reader, number, int)
    finally:
        os.close(number)


@shows("plain_files_by_half", right=["PermissionError"] * 2)
def readers_and_writers_of_a_plain_file_fare_alike(loop: Any, _patience_s: float) -> object:
    number = os.open(os.devnull, os.O_RDONLY)
    try:
        return [error_of(add, number, int) for add in (loop.add_reader, loop.add_writer)]
    finally:
        os.close(number)


@shows("refusal_unheard", right=True)
def the_writer_hears_of_a_refused_connection(loop: Any, patience_s: float) -> object:
    with socket.socket() as nobody, socket.socket() as client:
        nobody.bind(("127.0.0.1", 0))
        client.setblocking(False)
        client.connect_ex(nobody.getsockname())
        loop.add_writer(client, loop.stop)
        heard = run(loop, patience_s)
        loop.remove_writer(client)
    return heard
