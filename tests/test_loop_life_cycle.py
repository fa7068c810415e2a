"""Running, stopping, closing, forking."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
import warnings
from collections.abc import Iterator

import muxloop
import pytest
from loops_under_test import SELECTORS, new_loop, opened, turn
from muxloop import EventLoop


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_a_run_loop_stopped_and_run_again_keeps_everything(loop: EventLoop) -> None:
    seen: list[str] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, seen.append, "reader")
        loop.call_later(0.001, seen.append, "timer")
        turn(loop)
        loop.call_soon(seen.append, "queued")
        theirs.send(b"x")
        turn(loop)
        loop.remove_reader(ours)
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
    assert sorted(seen) == ["queued", "reader", "timer"]


def test_run_until_complete_returns_and_raises_what_the_future_holds(loop: EventLoop) -> None:
    assert loop.run_until_complete(asyncio.sleep(0, "result")) == "result"
    future = loop.create_future()
    loop.call_soon(future.set_exception, ZeroDivisionError("given"))
    with pytest.raises(ZeroDivisionError, match="given"):
        loop.run_until_complete(future)


def test_run_until_complete_of_a_stopped_loop(loop: EventLoop) -> None:
    future = loop.create_future()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        loop.run_until_complete(future)
    loop.call_soon(future.set_result, 1)
    assert loop.run_until_complete(future) == 1


def test_an_interrupted_run_does_not_end_the_next_one(loop: EventLoop) -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(interrupt())
    assert loop.run_until_complete(asyncio.sleep(0.001, "whole")) == "whole"


def test_nested_runs_are_refused(loop: EventLoop) -> None:
    other = new_loop("stdlib")

    async def nest() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_forever()
        future = other.create_future()
        with pytest.raises(RuntimeError, match="another loop is running"):
            other.run_until_complete(future)
        with pytest.raises(RuntimeError, match="running"):
            loop.close()
        assert asyncio.get_running_loop() is loop
        assert loop.is_running()

    loop.run_until_complete(nest())
    other.close()
    assert asyncio._get_running_loop() is None


def test_a_closed_loop_refuses_every_scheduling_call(loop: EventLoop) -> None:
    async def coroutine() -> None: ...

    ours, theirs = socket.socketpair()
    loop.call_soon(pytest.fail, "ran after close")
    loop.close()
    loop.close()
    assert loop.is_closed()
    coro = coroutine()
    with ours, theirs:
        for call in (
            lambda: loop.call_soon(int),
            lambda: loop.call_soon_threadsafe(int),
            lambda: loop.call_later(1, int),
            lambda: loop.call_at(1, int),
            lambda: loop.add_reader(ours, int),
            lambda: loop.add_writer(ours, int),
            lambda: loop.run_in_executor(None, int),
            lambda: loop.create_task(coro),
            *([] if sys.platform == "win32" else [lambda: loop.add_signal_handler(10, int)]),
            loop.run_forever,
            lambda: loop.run_until_complete(coro),
        ):
            with pytest.raises(RuntimeError, match="closed"):
                call()
    coro.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_closing_frees_every_descriptor_and_thread(loop: EventLoop) -> None:
    loop.close()
    gc.collect()
    before = set(os.listdir("/proc/self/fd")), threading.active_count()
    again = muxloop.new_event_loop()
    again.run_until_complete(again.run_in_executor(None, int))
    again.run_until_complete(again.shutdown_default_executor())
    again.close()
    assert (set(os.listdir("/proc/self/fd")), threading.active_count()) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_can_close_the_loop_without_disturbing_the_parent(loop: EventLoop) -> None:
    ours, theirs = socket.socketpair()
    seen: list[bytes] = []

    def fork() -> None:
        child = os.fork()
        if not child:
            code = 1
            try:
                if asyncio._get_running_loop() is None and not loop.is_running():
                    loop.close()
                    asyncio.run(asyncio.sleep(0))
                    code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def read() -> None:
        seen.append(ours.recv(100))
        loop.stop()

    with ours, theirs:
        loop.add_reader(ours, read)
        loop.call_soon(fork)
        loop.call_later(0.01, theirs.send, b"after the fork")
        loop.run_forever()
        threading.Timer(0.01, loop.call_soon_threadsafe, (loop.stop,)).start()
        loop.run_forever()
        loop.remove_reader(ours)
    assert seen == [b"after the fork"]


def test_a_loop_dropped_unclosed_is_a_resource_warning() -> None:
    loop = new_loop("stdlib")
    holder = [loop]
    del loop

    def drop() -> None:
        holder.clear()
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        drop()


def test_the_repr_tells_state_and_selector(loop: EventLoop) -> None:
    assert "running=False closed=False debug=False" in repr(loop)
    loop.close()
    assert "closed=True" in repr(loop)


def test_asyncgens_are_closed_at_shutdown_and_when_dropped(loop: EventLoop) -> None:
    closed: list[str] = []

    async def generator(name: str) -> Iterator[int]:  # type: ignore[misc]
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(name)

    async def main() -> object:
        kept = generator("kept")
        await anext(kept)
        dropped = generator("dropped")
        await anext(dropped)
        del dropped
        gc.collect()
        while not closed:
            await asyncio.sleep(0)
        assert closed == ["dropped"]
        await loop.shutdown_asyncgens()
        assert closed == ["dropped", "kept"]
        late = generator("late")
        with pytest.warns(ResourceWarning, match="after shutdown_asyncgens"):
            await anext(late)
        await late.aclose()
        return kept

    loop.run_until_complete(main())


def test_an_asyncgen_that_fails_to_close_is_reported(loop: EventLoop) -> None:
    contexts: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))

    async def failing() -> Iterator[int]:  # type: ignore[misc]
        try:
            yield 1
        finally:
            raise ZeroDivisionError

    async def main() -> object:
        agen = failing()
        await anext(agen)
        await loop.shutdown_asyncgens()
        return agen

    agen = loop.run_until_complete(main())
    assert isinstance(contexts[0]["exception"], ZeroDivisionError)
    assert contexts[0]["asyncgen"] is agen


def test_run_and_policy_make_our_loops() -> None:
    async def kind() -> type:
        return type(asyncio.get_running_loop())

    assert muxloop.run(kind(), backend="select") is EventLoop
    with asyncio.Runner(loop_factory=muxloop.new_event_loop) as runner:
        assert runner.run(kind()) is EventLoop
    if sys.version_info < (3, 14):
        asyncio.set_event_loop_policy(muxloop.EventLoopPolicy())
        try:
            assert asyncio.run(kind()) is EventLoop
        finally:
            asyncio.set_event_loop_policy(None)


def test_importing_warns_of_nothing() -> None:
    import subprocess

    subprocess.run([sys.executable, "-W", "error", "-c", "import muxloop"], check=True)


def test_executor_jobs_and_their_shutdown(loop: EventLoop) -> None:
    async def main() -> None:
        assert await loop.run_in_executor(None, sum, [1, 2]) == 3
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, divmod, 1, 0)
        with pytest.raises(TypeError):
            loop.set_default_executor(object())  # type: ignore[arg-type]
        assert (await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)) == (
            "127.0.0.1",
            "80",
        )
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError, match="shut down"):
            loop.run_in_executor(None, int)

    loop.run_until_complete(main())


def test_shutting_down_a_busy_executor_times_out(loop: EventLoop) -> None:
    release = threading.Event()

    async def main() -> None:
        job = loop.run_in_executor(None, release.wait)
        with pytest.warns(RuntimeWarning, match="did not finish"):
            await loop.shutdown_default_executor(0.01)
        release.set()
        await job

    loop.run_until_complete(main())


def test_a_cancelled_job_that_is_queued_never_runs(loop: EventLoop) -> None:
    from concurrent.futures import ThreadPoolExecutor

    release = threading.Event()
    seen: list[int] = []

    async def main() -> None:
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, release.wait)
        queued = loop.run_in_executor(None, seen.append, 1)
        queued.cancel()
        await asyncio.sleep(0)
        release.set()
        await busy
        await loop.shutdown_default_executor()

    loop.run_until_complete(main())
    assert seen == []


def test_task_factories_names_and_contexts(loop: EventLoop) -> None:
    made: list[dict[str, object]] = []

    def factory(of: asyncio.AbstractEventLoop, coro: object, **options: object) -> asyncio.Task[None]:
        made.append(options)
        return asyncio.Task(coro, loop=of)  # type: ignore[arg-type]

    async def main() -> None:
        assert asyncio.current_task() in asyncio.all_tasks()
        plain = loop.create_task(asyncio.sleep(0), name="plain")
        loop.set_task_factory(factory)
        assert loop.get_task_factory() is factory
        named = loop.create_task(asyncio.sleep(0), name="named")
        await asyncio.gather(plain, named)
        assert plain.get_name() == "plain"
        assert made
        loop.set_task_factory(None)
        with pytest.raises(TypeError):
            loop.set_task_factory(1)  # type: ignore[arg-type]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop.run_until_complete(main())
