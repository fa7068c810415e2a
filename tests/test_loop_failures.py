"""Exceptions that nobody catches, and debug mode."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened, turn
from muxloop import EventLoop


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def fail() -> None:
    raise ZeroDivisionError("on purpose")


def test_a_failing_callback_reaches_the_handler_and_the_batch_goes_on(loop: EventLoop) -> None:
    seen: list[Any] = []
    loop.set_exception_handler(lambda where, context: seen.append((where, context)))
    assert loop.get_exception_handler() is not None
    handle = loop.call_soon(fail)
    loop.call_soon(seen.append, "the rest")
    turn(loop)
    (where, context), rest = seen
    assert where is loop
    assert context["handle"] is handle
    assert isinstance(context["exception"], ZeroDivisionError)
    assert "fail()" in context["message"]
    assert rest == "the rest"


def test_the_default_handler_logs_the_traceback(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.call_soon(fail)
    turn(loop)
    assert "Exception in callback fail()" in caplog.text
    assert "ZeroDivisionError: on purpose" in caplog.text
    loop.call_exception_handler({"message": "words", "extra": 42})
    assert "words\nextra: 42" in caplog.text


def test_a_broken_handler_falls_back_to_the_default_one(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken handler")

    seen: list[str] = []
    loop.set_exception_handler(broken)
    loop.call_soon(fail)
    loop.call_soon(seen.append, "the rest")
    turn(loop)
    assert seen == ["the rest"]
    assert "Unhandled error in exception handler" in caplog.text
    assert "broken handler" in caplog.text
    assert "on purpose" in caplog.text


def test_a_broken_default_handler_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(EventLoop):
        def default_exception_handler(self, context: dict[str, Any]) -> None:  # noqa: ARG002
            raise RuntimeError("broken default")

    loop = Broken()
    loop.call_soon(fail)
    turn(loop)
    loop.close()
    assert "Exception in default exception handler" in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interrupts_pass_through_the_handler(loop: EventLoop, error: type[BaseException]) -> None:
    def interrupting(*_: object) -> None:
        raise error

    seen: list[str] = []
    loop.set_exception_handler(interrupting)
    loop.call_soon(fail)
    loop.call_soon(seen.append, "the rest")
    with pytest.raises(error):
        loop.run_forever()
    assert seen == []
    turn(loop)
    assert seen == ["the rest"]


def test_the_handler_runs_in_the_context_of_what_failed(loop: EventLoop) -> None:
    variable = contextvars.ContextVar("variable", default="outside")
    seen: list[str] = []
    loop.set_exception_handler(lambda *_: seen.append(variable.get()))
    context = contextvars.copy_context()
    context.run(variable.set, "inside")
    loop.call_soon(fail, context=context)
    turn(loop)
    assert seen == ["inside"]


def test_a_handler_must_be_callable(loop: EventLoop) -> None:
    with pytest.raises(TypeError, match="callable"):
        loop.set_exception_handler(1)  # type: ignore[arg-type]
    loop.set_exception_handler(None)


async def coroutine_function() -> None: ...


def test_debug_mode_refuses_what_cannot_be_called(loop: EventLoop) -> None:
    loop.set_debug(True)
    assert loop.get_debug()
    for call in (
        loop.call_soon,
        loop.call_soon_threadsafe,
        lambda callback: loop.call_later(0, callback),
        lambda callback: loop.call_at(0, callback),
        lambda callback: loop.run_in_executor(None, callback),
    ):
        for bad in (coroutine_function, 42):
            with pytest.raises(TypeError):
                call(bad)


def test_debug_mode_refuses_foreign_threads(loop: EventLoop) -> None:
    loop.set_debug(True)
    errors: list[BaseException] = []

    def foreign() -> None:
        for call in (
            lambda: loop.call_soon(int),
            lambda: loop.call_later(0, int),
            lambda: loop.call_at(0, int),
            lambda: loop.add_reader(0, int),
        ):
            try:
                call()
            except RuntimeError as error:
                errors.append(error)

    async def main() -> None:
        thread = threading.Thread(target=foreign)
        thread.start()
        thread.join()

    loop.run_until_complete(main())
    assert len(errors) == 4


def test_debug_mode_names_slow_callbacks(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 0.001

    def slow() -> None:
        until = time.monotonic() + 0.003
        while time.monotonic() < until:
            pass

    async def slow_task() -> None:
        slow()

    loop.call_soon(slow)
    with caplog.at_level(logging.WARNING, "asyncio"):
        loop.run_until_complete(slow_task())
    assert "slow() at" in caplog.text
    assert "slow_task() done" in caplog.text
    assert re.search(r"took \d+\.\d{3} seconds", caplog.text)


def test_debug_mode_knows_where_handles_were_made(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)
    handle = loop.call_soon(fail)
    timer = loop.call_later(60, fail)
    assert repr(handle).startswith("<Handle fail() at ")
    assert "test_loop_failures.py" in repr(handle).split("created at ")[1]
    assert repr(timer).startswith("<TimerHandle when=")
    timer.cancel()
    assert repr(timer).startswith("<TimerHandle cancelled when=")
    assert "fail()" in repr(timer)
    turn(loop)
    assert "test_debug_mode_knows_where_handles_were_made" in caplog.text


def test_handles_describe_themselves(loop: EventLoop) -> None:
    handle = loop.call_soon(fail)
    assert repr(handle).startswith("<Handle fail() at ")
    handle.cancel()
    assert repr(handle) == "<Handle cancelled>"
    assert isinstance(handle, asyncio.Handle)
    timer = loop.call_at(12.5, fail)
    assert repr(timer).startswith("<TimerHandle when=12.5 fail() at ")


def test_debug_mode_tracks_where_coroutines_were_made(loop: EventLoop) -> None:
    async def main() -> int:
        coro = coroutine_function()
        origin = len(coro.cr_origin or ())
        await coro
        return origin

    assert loop.run_until_complete(main()) == 0
    loop.set_debug(True)
    assert loop.run_until_complete(main()) > 0
    loop.set_debug(False)
    assert loop.run_until_complete(main()) == 0


def test_the_environment_switches_debug_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    for loop in opened("stdlib"):
        assert loop.get_debug()
