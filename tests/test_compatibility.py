"""What libraries touch of CPython's loop beyond the interface, each as they do it: docs/compatibility.md."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened, turn
from muxloop import EventLoop
from pages import text_of

needs_unix_signals = pytest.mark.skipif(sys.platform == "win32", reason="no signals to speak of")


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_every_name_on_the_page_is_there(loop: EventLoop) -> None:
    row = r"^\| ((?:`_\w+`(?:, )?)+) \| .+ \| (.+) \|$"
    rows = re.findall(row, text_of("docs/compatibility.md"), re.M)
    assert len(rows) > 15
    for names, given in rows:
        for name in re.findall(r"\w+", names):
            assert hasattr(loop, name) == (not re.match(r"no\b", given)), name


def test_home_assistant_runs_what_would_be_due(loop: EventLoop) -> None:
    seen: list[str] = []
    loop.call_later(3600, seen.append, "later")
    loop.call_later(60, seen.append, "soon")
    loop.call_later(60, seen.append, "cancelled").cancel()
    future = loop.time() + 120
    for timer in list(loop._scheduled):
        assert isinstance(timer, asyncio.TimerHandle)
        if not timer.cancelled() and timer.when() <= future:
            timer._run()
            timer.cancel()
    assert seen == ["soon"]
    assert [timer.when() > future for timer in loop._scheduled] == [True]
    assert len(loop._ready) == 0


@pytest.mark.parametrize("far", [False, True])
def test_armed_timers_come_earliest_first_and_equal_ones_as_armed(loop: EventLoop, far: bool) -> None:
    base = loop.time() + (100_000 if far else 1)
    timers = [loop.call_at(base + seconds, int) for seconds in (3, 1, 2, 1)]
    assert loop._scheduled == [timers[1], timers[3], timers[2], timers[0]]


@needs_unix_signals
def test_prompt_toolkit_puts_back_the_handler_it_found(loop: EventLoop) -> None:
    """Its attach_winch_signal_handler(), to the letter."""
    seen: list[str] = []

    def attached(handler: Any) -> Iterator[None]:
        previous = getattr(loop, "_signal_handlers", {}).get(signal.SIGWINCH)
        try:
            loop.add_signal_handler(signal.SIGWINCH, handler)
            yield
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)
            if previous is not None:
                loop.add_signal_handler(signal.SIGWINCH, previous._callback, *previous._args)

    former = signal.getsignal(signal.SIGWINCH)
    for _ in range(2):  # the second time there was a handler once, and is none
        for _ in attached(int):
            pass
        assert signal.getsignal(signal.SIGWINCH) == former
    loop.add_signal_handler(signal.SIGWINCH, seen.append, "outer")
    for _ in attached(lambda: seen.append("inner")):
        os.kill(os.getpid(), signal.SIGWINCH)
        turn(loop, 2)
    os.kill(os.getpid(), signal.SIGWINCH)
    turn(loop, 2)
    assert seen == ["inner", "outer"]
    assert list(loop._signal_handlers) == [signal.SIGWINCH]


def test_aiozmq_stops_reading_a_socket_that_is_closed(loop: EventLoop) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        loop.add_reader(ours, int)
        ours.close()
        assert loop._remove_reader(ours) is True


def test_the_files_of_transports_are_reached(loop: EventLoop) -> None:
    ours, theirs = socket.socketpair()
    seen: list[str] = []

    async def main() -> None:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        with pytest.raises(RuntimeError, match="transport"):
            loop.add_writer(ours.fileno(), int)
        handle = loop._add_writer(ours.fileno(), seen.append, "writable")
        assert isinstance(handle, asyncio.Handle)
        while not seen:
            await asyncio.sleep(0)
        assert loop._remove_writer(ours.fileno()) is True
        assert loop._remove_writer(ours.fileno()) is False
        theirs.send(b"x")
        transport.pause_reading()
        loop._add_reader(ours.fileno(), seen.append, "readable")
        while "readable" not in seen:
            await asyncio.sleep(0)
        assert loop._remove_reader(ours.fileno()) is True
        transport.close()

    with theirs:
        loop.run_until_complete(main())


def test_a_loop_is_turned_by_hand(loop: EventLoop) -> None:
    """Until nothing is left, as in the tests of those who drain a loop."""
    seen: list[str] = []
    loop.call_soon(seen.append, "soon")
    loop.call_soon(loop.call_soon, seen.append, "nested")
    loop.call_later(0.001, seen.append, "timer")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, lambda: seen.append(ours.recv(1).decode()))
        theirs.send(b"x")
        while loop._ready or loop._scheduled or "x" not in seen:
            loop._run_once()
        loop.remove_reader(ours)
    assert sorted(seen) == ["nested", "soon", "timer", "x"]
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop._run_once()


@pytest.mark.parametrize("how", ["_write_to_self", "_csock"])
def test_a_loop_is_woken_for_what_another_thread_queued(loop: EventLoop, how: str) -> None:
    def other() -> None:
        loop.call_soon(loop.stop)  # asyncio.Queue.put_nowait() comes to this
        if how == "_csock":
            loop._csock.send(b"\0")
        else:
            loop._write_to_self()

    thread = threading.Thread(target=other)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()


def test_sanic_takes_back_a_stop(loop: EventLoop) -> None:
    loop.stop()
    if hasattr(loop, "_stopping"):
        loop._stopping = False
    assert loop.run_until_complete(asyncio.sleep(0, "done")) == "done"


def test_anyio_and_others_end_the_default_executor(loop: EventLoop) -> None:
    assert loop._default_executor is None
    loop.run_until_complete(loop.run_in_executor(None, int))
    executor = loop._default_executor
    assert isinstance(executor, ThreadPoolExecutor)
    executor.shutdown(wait=True)
    loop._default_executor = None
    loop.run_until_complete(loop.run_in_executor(None, int))


def test_sentry_wraps_close_on_the_loop_itself(loop: EventLoop) -> None:
    flushed: list[bool] = []
    close = loop.close

    async def flush() -> None:
        flushed.append(True)

    def patched() -> None:
        try:
            loop.run_until_complete(flush())
        finally:
            close()

    loop.close = patched  # type: ignore[method-assign]
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(asyncio.sleep(0))
    assert flushed == [True]
    assert loop.is_closed()
    del loop.close


def test_monitors_find_the_thread_and_the_settings(loop: EventLoop) -> None:
    assert (loop._thread_id, loop._closed, loop._debug) == (None, False, False)

    async def main() -> int | None:
        return loop._thread_id

    assert loop.run_until_complete(main()) == threading.get_ident()
    assert loop._exception_handler is None
    assert loop._task_factory is None
    assert len(loop._asyncgens) == 0
    assert loop._selector.get_map() is not None
    loop._check_closed()
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop._check_closed()


def test_it_is_no_base_event_loop(loop: EventLoop) -> None:
    """Which is all that nest_asyncio and looptime ask before they refuse; aiohttp goes its other way."""
    assert not isinstance(loop, asyncio.BaseEventLoop)
    assert isinstance(loop, asyncio.AbstractEventLoop)


# Tasks as the versions of Python have them.


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
class TestEagerTasks:
    def test_the_factory_runs_the_first_step_at_once(self, loop: EventLoop) -> None:
        steps: list[Any] = []

        async def step(waits: bool) -> str:
            steps.append(asyncio.current_task())
            if waits:
                await asyncio.sleep(0)
            return "done"

        async def main() -> None:
            loop.set_task_factory(asyncio.eager_task_factory)
            at_once = asyncio.create_task(step(False), name="at once")
            assert at_once.done()
            assert (steps[-1], at_once.get_name()) == (at_once, "at once")
            later = asyncio.create_task(step(True), name="later")
            assert len(steps) == 2
            assert not later.done()
            assert asyncio.current_task() not in (at_once, later)
            assert await asyncio.gather(at_once, later) == ["done", "done"]
            assert loop.get_task_factory() is asyncio.eager_task_factory

        loop.run_until_complete(main())

    def test_aiohttp_starts_a_task_eagerly_by_its_class(self, loop: EventLoop) -> None:
        started: list[int] = []

        async def ping() -> None:
            started.append(1)
            await asyncio.sleep(0)

        async def main() -> None:
            task = asyncio.Task(ping(), loop=loop, eager_start=True)
            assert started == [1]
            await task

        loop.run_until_complete(main())

    def test_one_that_fails_at_once_is_told_to_whoever_awaits_it(self, loop: EventLoop) -> None:
        async def fail() -> None:
            raise ZeroDivisionError

        async def main() -> None:
            loop.set_task_factory(asyncio.eager_task_factory)
            task = loop.create_task(fail())
            assert task.done()
            with pytest.raises(ZeroDivisionError):
                await task

        loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 14), reason="create_task() takes any keyword since Python 3.14")
class TestKeywordsOfTasks:
    def test_eager_start_is_chosen_for_one_task(self, loop: EventLoop) -> None:
        async def step() -> None: ...

        async def main() -> None:
            assert loop.create_task(step(), eager_start=True).done()
            assert not loop.create_task(step(), eager_start=False).done()
            assert asyncio.create_task(step(), eager_start=True).done()
            async with asyncio.TaskGroup() as group:
                assert group.create_task(step(), eager_start=True).done()

        loop.run_until_complete(main())

    def test_a_factory_gets_them_all(self, loop: EventLoop) -> None:
        got: list[dict[str, Any]] = []
        context = contextvars.copy_context()

        def factory(made_in: Any, coro: Any, **options: Any) -> Any:
            got.append(options)
            return asyncio.Task(coro, loop=made_in, name=options.get("name"))

        async def main() -> None:
            loop.set_task_factory(factory)
            await loop.create_task(asyncio.sleep(0), name="named", context=context, custom=1)
            await loop.create_task(asyncio.sleep(0), eager_start=False)

        loop.run_until_complete(main())
        assert got == [{"name": "named", "context": context, "custom": 1}, {"eager_start": False}]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="the call graph came with Python 3.14")
class TestCallGraph:
    def test_it_leads_from_a_task_to_those_that_await_it(self, loop: EventLoop) -> None:
        graphs: list[Any] = []

        async def inner() -> None:
            graphs.append(asyncio.capture_call_graph())

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(inner(), name="inner")

        task = loop.create_task(main(), name="main")
        loop.run_until_complete(task)
        (graph,) = graphs
        assert graph.future.get_name() == "inner"
        assert [above.future for above in graph.awaited_by] == [task]
        assert [entry.frame.f_code.co_name for entry in graph.awaited_by[0].call_stack][-1] == "main"

    def test_awaiting_is_noted_and_taken_back(self, loop: EventLoop) -> None:
        waited, waiter = loop.create_future(), loop.create_future()
        asyncio.future_add_to_awaited_by(waited, waiter)
        assert asyncio.capture_call_graph(waited).awaited_by[0].future is waiter
        asyncio.future_discard_from_awaited_by(waited, waiter)
        assert asyncio.capture_call_graph(waited).awaited_by == ()

    def test_a_finished_eager_task_leaves_no_cycle(self, loop: EventLoop) -> None:
        class OnPurposeError(Exception): ...

        async def fail() -> None:
            raise OnPurposeError

        async def main() -> None:
            with suppress(OnPurposeError):
                await loop.create_task(fail(), eager_start=True)

        gc.collect()
        gc.disable()
        try:
            loop.run_until_complete(main())
            assert not [each for each in gc.get_objects() if isinstance(each, OnPurposeError)]
        finally:
            gc.enable()
