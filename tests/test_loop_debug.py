"""Debug mode, point by point as the documentation has it; asyncio's own loop stands beside for the words.

Source: https://docs.python.org/3/library/asyncio-dev.html#debug-mode
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import re
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from loops_under_test import OURS, SELECTORS, new_loop, opened, turn
from muxloop import EventLoop, VirtualClock
from muxloop.loop.clock import Events, Select

HERE = os.path.basename(__file__)

needs_counting = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="nothing dies there when it is let go"
)


@pytest.fixture(params=[*SELECTORS, "asyncio"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    """In debug mode; asyncio's own loop among them, so that we ask for nothing that it does not give."""
    made = asyncio.SelectorEventLoop() if request.param == "asyncio" else new_loop(request.param)
    made.set_debug(True)
    made.slow_callback_duration = 3600  # the machine may be slow
    yield made
    made.close()


@pytest.fixture
def reported(loop: asyncio.AbstractEventLoop) -> list[dict[str, Any]]:
    """What the loop tells its exception handler."""
    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    return contexts


def functions(stack: Any) -> list[str]:
    return [call.name for call in stack]


def fail() -> None:
    raise ZeroDivisionError("on purpose")


def test_a_failing_callback_tells_where_it_was_scheduled(
    loop: asyncio.AbstractEventLoop, reported: list[dict[str, Any]]
) -> None:
    handle = loop.call_soon(fail)
    turn(loop)  # type: ignore[arg-type]
    (context,) = reported
    assert set(context) == {"message", "exception", "handle", "source_traceback"}
    assert context["message"].startswith("Exception in callback fail() at ")
    assert context["handle"] is handle
    last = context["source_traceback"][-1]
    assert (last.name, os.path.basename(last.filename)) == (
        "test_a_failing_callback_tells_where_it_was_scheduled",
        HERE,
    )


@needs_counting
def test_an_exception_never_retrieved_tells_where_its_future_was_made(
    loop: asyncio.AbstractEventLoop, reported: list[dict[str, Any]]
) -> None:
    async def forget() -> None:
        loop.create_future().set_exception(ZeroDivisionError())

    loop.run_until_complete(forget())
    gc.collect()
    (context,) = reported
    assert set(context) == {"message", "exception", "future", "source_traceback"}
    assert context["message"] == "Future exception was never retrieved"
    assert "forget" in functions(context["source_traceback"])


@needs_counting
def test_a_task_destroyed_while_pending_tells_where_it_was_made(
    loop: asyncio.AbstractEventLoop, reported: list[dict[str, Any]]
) -> None:
    async def forget() -> None:
        # A future that nobody else knows: the two die together.
        loop.create_task(wait_for_ever())
        await asyncio.sleep(0)

    async def wait_for_ever() -> None:
        await loop.create_future()

    loop.run_until_complete(forget())
    gc.collect()
    (context,) = reported
    assert set(context) == {"message", "task", "source_traceback"}
    assert context["message"] == "Task was destroyed but it is pending!"
    assert functions(context["source_traceback"])[-1] == "forget"


def test_the_default_handler_says_where_the_handle_was_made(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    """Of what fails without a traceback of its own: the handle that runs has one."""
    loop.call_soon(loop.call_exception_handler, {"message": "words"})
    turn(loop)  # type: ignore[arg-type]
    text = caplog.text
    assert "words\nhandle_traceback: Handle created at (most recent call last):\n  File " in text
    assert "in test_the_default_handler_says_where_the_handle_was_made" in text


def test_a_coroutine_never_awaited_tells_where_it_was_made(loop: asyncio.AbstractEventLoop) -> None:
    async def never() -> None: ...

    async def forget() -> None:
        never()
        gc.collect()

    with pytest.warns(RuntimeWarning, match="was never awaited") as caught:
        loop.run_until_complete(forget())
    text = "".join(str(warning.message) for warning in caught)
    assert "Coroutine created at (most recent call last)" in text
    assert "in forget" in text


def test_foreign_threads_are_refused_in_words_that_filters_know(loop: asyncio.AbstractEventLoop) -> None:
    errors: list[str] = []

    def foreign() -> None:
        calls: list[Callable[[], object]] = [
            lambda: loop.call_soon(int),
            lambda: loop.call_later(0, int),
            lambda: loop.call_at(0, int),
        ]
        for call in calls:
            try:
                call()
            except RuntimeError as error:
                errors.append(str(error))

    async def main() -> None:
        thread = threading.Thread(target=foreign)
        thread.start()
        thread.join()

    loop.run_until_complete(main())
    words = "Non-thread-safe operation invoked on an event loop other than the current one"
    assert len(errors) == 3
    assert all(error.startswith(words) for error in errors)


def test_what_cannot_be_called_is_refused(loop: asyncio.AbstractEventLoop) -> None:
    async def coroutine_function() -> None: ...

    for call in (
        loop.call_soon,
        loop.call_soon_threadsafe,
        lambda it: loop.call_later(0, it),
        lambda it: loop.run_in_executor(None, it),
    ):
        with pytest.raises(TypeError, match="coroutines cannot be used with"):
            call(coroutine_function)
        with pytest.raises(TypeError, match="a callable object was expected by"):
            call(42)


def test_blocking_sockets_are_refused(loop: asyncio.AbstractEventLoop) -> None:
    ours, theirs = socket.socketpair()
    buffer = bytearray(1)
    address = ("127.0.0.1", 1)
    calls: list[Callable[[], Coroutine[Any, Any, Any]]] = [
        lambda: loop.sock_recv(ours, 1),
        lambda: loop.sock_recv_into(ours, buffer),
        lambda: loop.sock_recvfrom(ours, 1),
        lambda: loop.sock_recvfrom_into(ours, buffer),
        lambda: loop.sock_sendall(ours, b"x"),
        lambda: loop.sock_sendto(ours, b"x", address),
        lambda: loop.sock_connect(ours, address),
        lambda: loop.sock_accept(ours),
        lambda: loop.sock_sendfile(ours, io.BytesIO(b"x")),
    ]
    with ours, theirs:
        for call in calls:
            with pytest.raises(ValueError, match="the socket must be non-blocking"):
                loop.run_until_complete(call())


def test_the_life_of_a_connection_is_logged(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.transport.pause_reading()
        writer.transport.resume_reading()
        writer.write(b"x")
        writer.write_eof()
        assert await reader.read() == b"x"
        writer.close()
        await writer.wait_closed()
        server.close()

    with caplog.at_level(logging.DEBUG, "asyncio"):
        loop.run_until_complete(main())
    for words in (
        " is serving",
        " got a new connection from ('127.0.0.1', ",
        " connected to ",
        " pauses reading",
        " resumes reading",
        " received EOF",
    ):
        assert words in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in a selector there")
def test_the_life_of_pipes_is_logged(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        reading, writing = os.pipe()
        lost = loop.create_future()

        class Reader(asyncio.Protocol):
            def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
                lost.set_result(None)

        reader, _ = await loop.connect_read_pipe(Reader, os.fdopen(reading, "rb", 0))
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writing, "wb", 0))
        reader.pause_reading()
        reader.resume_reading()
        writer.close()
        await lost

    with caplog.at_level(logging.DEBUG, "asyncio"):
        loop.run_until_complete(main())
    for words in ("Read pipe ", "Write pipe ", " pauses reading", " resumes reading", " was closed by peer"):
        assert words in caplog.text


def test_name_look_ups_and_datagram_endpoints_are_logged(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        await loop.getaddrinfo("127.0.0.1", 80)
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        transport.close()
        await asyncio.sleep(0)

    with caplog.at_level(logging.DEBUG, "asyncio"):
        loop.run_until_complete(main())
    assert re.search(r"Getting address info 127\.0\.0\.1:80 took [\d.]+ms: \[", caplog.text)
    assert "Datagram endpoint " in caplog.text


@needs_counting
def test_an_unclosed_transport_and_an_unclosed_loop_are_warned_of(loop: asyncio.AbstractEventLoop) -> None:
    def forget() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            loop.run_until_complete(loop.create_connection(asyncio.Protocol, sock=ours))
        loop.close()  # it held the transport
        gc.collect()

    def forget_another() -> None:
        type(loop)()
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed transport <"):
        forget()
    with pytest.warns(ResourceWarning, match=f"unclosed event loop <{type(loop).__name__} "):
        forget_another()


class Oversleeping(VirtualClock):
    """Its waits end five seconds late."""

    def wait(self, select: Select, deadline: float | None, *, outside_work: bool) -> Events:
        events = super().wait(select, deadline, outside_work=outside_work)
        self.advance(5)
        return events


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_wait_that_ends_late_is_logged(selector: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the documentation promises of the I/O selector, and CPython's loop no longer does."""
    for loop in opened(selector, Oversleeping()):
        with caplog.at_level(logging.INFO, "asyncio"):
            loop.run_until_complete(asyncio.sleep(1))
            assert caplog.text == ""
            loop.set_debug(True)
            loop.run_until_complete(asyncio.sleep(1))
            assert "poll 1000.000 ms took 6000.000 ms: 0 callbacks are ready" in caplog.text
            caplog.clear()
            loop.slow_callback_duration = 6
            loop.run_until_complete(asyncio.sleep(1))
            loop.slow_callback_duration = 1
            loop.set_debug(False)
            loop.run_until_complete(asyncio.sleep(1))
            assert caplog.text == ""


def test_a_wait_without_a_deadline_is_never_late(caplog: pytest.LogCaptureFixture) -> None:
    for loop in opened(OURS[0]):
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0
        with caplog.at_level(logging.INFO, "asyncio"):
            threading.Timer(0.02, loop.call_soon_threadsafe, (loop.stop,)).start()
            loop.run_forever()
        assert "poll" not in caplog.text


@needs_counting
def test_a_closed_loop_in_debug_mode_needs_no_collector() -> None:
    dead: list[bool] = []

    class Dying(EventLoop):
        def __del__(self) -> None:
            dead.append(True)

    gc.collect()
    gc.disable()
    try:
        loop = Dying()
        loop.set_debug(True)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        del loop
        assert dead == [True]
    finally:
        gc.enable()


def test_out_of_debug_mode_nothing_is_timed_or_traced() -> None:
    for loop in opened(OURS[0]):
        loop.set_debug(True)
        loop.set_debug(False)
        assert "_poll" not in vars(loop)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert loop.call_soon(int)._source_traceback is None
            turn(loop)


def test_a_loop_has_no_more_attributes_than_cpython_keeps_in_an_object() -> None:
    """Beyond 30 it makes them a dictionary, and each turn is 5 % slower."""
    for loop in opened(OURS[0]):
        loop.run_until_complete(loop.run_in_executor(None, int))
        assert len(vars(loop)) <= 30
