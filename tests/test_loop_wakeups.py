"""Waking the loop from threads, signal handlers and finalisers; signals."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import pytest
from loops_under_test import SELECTORS, opened, turn
from muxloop import EventLoop

needs_unix_signals = pytest.mark.skipif(sys.platform == "win32", reason="no signals to speak of")


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_no_wake_up_is_lost_between_the_last_look_and_the_wait(loop: EventLoop) -> None:
    # One at a time: every hand-over depends on a wake-up, and a lost one hangs the test.
    answered = threading.Event()

    def other() -> None:
        for _ in range(2000):
            answered.clear()
            loop.call_soon_threadsafe(answered.set)
            answered.wait()
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=other)
    thread.start()
    loop.run_forever()
    thread.join()


def test_a_flood_from_many_threads_loses_doubles_and_reorders_nothing(loop: EventLoop) -> None:
    seen: list[tuple[int, int]] = []

    def flood(thread: int) -> None:
        for number in range(1000):
            loop.call_soon_threadsafe(seen.append, (thread, number))

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()

    def wait() -> None:
        for thread in threads:
            thread.join()
        loop.call_soon_threadsafe(loop.stop)

    waiter = threading.Thread(target=wait)
    waiter.start()
    loop.run_forever()
    waiter.join()
    assert sorted(seen) == [(thread, number) for thread in range(8) for number in range(1000)]
    for thread_number in range(8):
        assert [number for thread, number in seen if thread == thread_number] == list(range(1000))


def test_wake_ups_from_finalisers_are_safe(loop: EventLoop) -> None:
    seen: list[int] = []

    class Dying:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            loop.call_soon_threadsafe(seen.append, 1)

    eager = sys.implementation.name == "cpython"  # a collector like PyPy's chooses its moments itself
    former = gc.get_threshold() if eager else ()
    if eager:
        gc.set_threshold(1)
    try:
        for _ in range(200):
            Dying()
            loop.call_soon_threadsafe(int)
    finally:
        if eager:
            gc.set_threshold(*former)
    gc.collect()
    turn(loop)
    assert len(seen) == 200


def test_a_closed_loop_refuses_threads(loop: EventLoop) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon_threadsafe(int)


@needs_unix_signals
def test_a_signal_wakes_an_idle_loop_and_runs_its_handler_in_it(loop: EventLoop) -> None:
    former = signal.getsignal(signal.SIGUSR1)
    seen: list[tuple[str, bool]] = []

    def handler(word: str) -> None:
        seen.append((word, loop.is_running()))
        loop.stop()

    loop.add_signal_handler(signal.SIGUSR1, handler, "word")
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    loop.run_forever()
    assert seen == [("word", True)]
    assert loop.remove_signal_handler(signal.SIGUSR1) is True
    assert loop.remove_signal_handler(signal.SIGUSR1) is False
    assert signal.getsignal(signal.SIGUSR1) == former


@needs_unix_signals
def test_a_signal_before_the_run_is_not_lost(loop: EventLoop) -> None:
    seen: list[int] = []
    loop.add_signal_handler(signal.SIGUSR1, seen.append, 1)
    os.kill(os.getpid(), signal.SIGUSR1)
    turn(loop)
    assert seen == [1]


@needs_unix_signals
@pytest.mark.parametrize("removed", [False, True], ids=["replaced", "removed and added"])
def test_a_signal_reaches_the_handler_in_place_when_its_turn_comes(loop: EventLoop, removed: bool) -> None:
    seen: list[str] = []

    def change_handlers() -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        if removed:
            loop.remove_signal_handler(signal.SIGUSR1)
        loop.add_signal_handler(signal.SIGUSR1, seen.append, "new")

    loop.add_signal_handler(signal.SIGUSR1, seen.append, "former")
    loop.call_soon(change_handlers)
    turn(loop, 3)
    assert seen == ["new"]


@needs_unix_signals
def test_a_signal_that_nobody_handles_any_more_is_dropped(loop: EventLoop) -> None:
    seen: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, seen.append, "former")
    os.kill(os.getpid(), signal.SIGUSR1)
    assert loop.remove_signal_handler(signal.SIGUSR1)
    turn(loop, 3)
    loop.add_signal_handler(signal.SIGUSR1, seen.append, "new")
    turn(loop, 3)
    assert seen == []


@needs_unix_signals
def test_closing_restores_what_was_there_before(loop: EventLoop) -> None:
    def mine(*_: object) -> None: ...

    former = signal.signal(signal.SIGUSR1, mine)
    try:
        loop.add_signal_handler(signal.SIGUSR1, int)
        loop.add_signal_handler(signal.SIGUSR1, int)
        loop.close()
        assert signal.getsignal(signal.SIGUSR1) is mine
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR1, former)


@needs_unix_signals
def test_a_storm_of_signals_starves_neither_files_nor_timers(loop: EventLoop) -> None:
    ours, theirs = socket.socketpair()
    done: set[str] = set()

    def again() -> None:
        if len(done) < 2:
            os.kill(os.getpid(), signal.SIGUSR1)
        else:
            loop.stop()

    with ours, theirs:
        loop.add_signal_handler(signal.SIGUSR1, again)
        again()
        loop.call_later(0.01, done.add, "timer")
        loop.add_reader(ours, done.add, "file")
        theirs.send(b"x")
        loop.run_forever()
        loop.remove_reader(ours)
    assert done == {"timer", "file"}


@needs_unix_signals
def test_bad_signals_are_refused(loop: EventLoop) -> None:
    async def coroutine() -> None: ...

    with pytest.raises(ValueError, match="no signal 12345"):
        loop.add_signal_handler(12345, int)
    with pytest.raises(ValueError, match="cannot be caught"):
        loop.add_signal_handler(signal.SIGKILL, int)
    with pytest.raises(TypeError):
        loop.add_signal_handler("SIGINT", int)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="coroutine"):
        loop.add_signal_handler(signal.SIGUSR1, coroutine)
    with pytest.raises(ValueError, match="no signal"):
        loop.remove_signal_handler(12345)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


@needs_unix_signals
def test_another_thread_cannot_add_signal_handlers(loop: EventLoop) -> None:
    errors: list[BaseException] = []

    def other() -> None:
        try:
            loop.add_signal_handler(signal.SIGUSR1, int)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert len(errors) == 1
    assert loop.remove_signal_handler(signal.SIGUSR1) is False


def press_control_c() -> None:
    """As the console does: on Windows the handler runs in a thread, and no other's system call ends early."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)


def test_control_c_ends_an_idle_loop(loop: EventLoop) -> None:
    # From within: before the loop runs, it would end the tests.
    loop.call_soon(threading.Timer(0.02, press_control_c).start)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    turn(loop)


@pytest.mark.parametrize("selector", SELECTORS)
def test_control_c_under_a_runner_cancels_the_main_task(selector: str) -> None:
    cleaned_up: list[bool] = []

    async def main() -> None:
        threading.Timer(0.02, press_control_c).start()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            cleaned_up.append(True)

    loops = opened(selector)
    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=lambda: next(loops)) as runner:
        runner.run(main())
    assert cleaned_up == [True]


def test_threads_that_flood_the_loop_do_not_starve_its_timers(loop: EventLoop) -> None:
    """Without a brake each batch is three times as long as the former, and the timer waits for all."""
    most = 250_000
    sent = [0] * 4

    def flood(index: int) -> None:
        while sent[index] < most:
            try:
                loop.call_soon_threadsafe(int)
            except RuntimeError:
                return
            sent[index] += 1

    threads = [threading.Thread(target=flood, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    for thread in threads:
        thread.join()
    assert sum(sent) < len(threads) * most
