"""Waits that end when they should: not early, and not at the next millisecond (SEL-04, TMR-01, TMR-08)."""

from __future__ import annotations

import asyncio
import errno
import os
import select as real_select
import signal
import sys
import threading
import time
from collections.abc import Callable
from selectors import EVENT_READ
from typing import Any

import pytest
from failing_kernels import FailingKernel
from forked_children import in_child
from muxloop import EventLoop
from muxloop.selectors_impl import Selector, kernel
from muxloop.selectors_impl.poll_bits import pollfds
from selectors_under_test import CLASSES, backends, every_backend

# The system call that ends a wait, by backend.
FINE = {"epoll": "epoll_pwait2", "poll": "ppoll"}
finely_ended = pytest.mark.parametrize("backend", backends(*FINE))

# A wait of 1.1 ms that is rounded up ends 0.9 ms late or later.
AWKWARD_S = 0.0011
LATE_S = 0.0006


# Windows' before Python 3.13 moves every 15.6 ms.
with_a_fine_clock = pytest.mark.skipif(
    time.get_clock_info("monotonic").resolution > 1e-4, reason="the clock is too coarse to tell"
)


def is_ever_on_time(wait: Callable[[float], object]) -> bool:
    """Whether one of many waits ends soon after its time; none may end before."""
    for _ in range(300):
        start = time.monotonic()
        wait(AWKWARD_S)
        late = time.monotonic() - start - AWKWARD_S
        assert late >= 0
        if late < LATE_S:
            return True
    return False


def on_kernel(backend: type[Selector], made: object) -> Selector:
    return type("Played", (backend,), {"kernel": made})()


class Interposed:
    """A kernel whose calls of one name are preceded by something else, or replaced by it."""

    def __init__(self, real: Any, name: str, before: Callable[[], bool | None]) -> None:
        self._real = real
        self._name = name
        self._before = before

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name != self._name:
            return real

        def call(*arguments: Any) -> Any:
            answer = self._before()
            return real(*arguments) if answer is None else answer

        return call


@every_backend
class TestWaits:
    @with_a_fine_clock
    def test_they_end_on_time(self, backend):
        with backend() as selector:
            if selector.resolution > 1e-5:
                pytest.skip(f"the kernel counts {selector.resolution} s")
            assert is_ever_on_time(selector.select)

    def test_none_ends_early(self, backend, pair):
        with backend() as selector:
            selector.register(pair[0], EVENT_READ)
            for tenths_of_a_millisecond in range(1, 60):
                timeout = tenths_of_a_millisecond * 1.0001e-4
                start = time.monotonic()
                assert selector.select(timeout) == []
                assert time.monotonic() - start >= timeout

    @with_a_fine_clock
    def test_no_wait_looks_for_more_than_the_last_moment(self, backend, pair):
        # In 80 us, without sleeping, no machine makes more than these; a wait spent looking makes thousands.
        most = 500
        counted = FailingKernel(backend.kernel)
        with on_kernel(backend, counted) as selector:
            selector.register(pair[0], EVENT_READ)
            for timeout in (1e-9, 1e-5, 1e-4, 0.0009, 0.0011, 0.005, 0.03):
                counted.calls.clear()
                assert selector.select(timeout) == []
                assert 1 <= counted.calls.total() <= most, counted.calls

    def test_what_is_ready_at_once_costs_one_system_call(self, backend, pair):
        counted = FailingKernel(backend.kernel)
        with on_kernel(backend, counted) as selector:
            key = selector.register(pair[0], EVENT_READ)
            pair[1].send(b"x")
            selector.select(0)
            for timeout in (None, 0, 1e-4, 0.01, 60):
                counted.calls.clear()
                assert selector.select(timeout) == [(key, EVENT_READ)]
                assert counted.calls.total() == 1, (timeout, counted.calls)

    @with_a_fine_clock
    @pytest.mark.parametrize("make_loop", [EventLoop, asyncio.SelectorEventLoop], ids=["ours", "asyncio's"])
    def test_the_timers_of_a_loop_profit(self, backend, make_loop):
        selector = backend()
        if selector.resolution > 1e-5:
            selector.close()
            pytest.skip(f"the kernel counts {selector.resolution} s")
        loop = make_loop(selector)
        try:

            def wait(seconds: float) -> None:
                loop.call_later(seconds, loop.stop)
                loop.run_forever()

            assert is_ever_on_time(wait)
        finally:
            loop.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_they_are_as_exact_in_a_forked_child(self, backend, pair):
        with backend() as selector:
            key = selector.register(pair[0], EVENT_READ)
            exact = selector.resolution <= 1e-5

            def play() -> None:
                assert not exact or is_ever_on_time(selector.select)
                pair[1].send(b"x")
                assert selector.select(60) == [(key, EVENT_READ)]

            assert in_child(play) == 0


@finely_ended
class TestTheLastMillisecond:
    @pytest.fixture(autouse=True)
    def needs_the_call(self, backend):
        """Emulators refuse it, and on PyPy it is not made."""
        with backend() as selector:
            if selector.resolution > 1e-5:
                pytest.skip(f"waits are counted in {selector.resolution} s here")

    @pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
    def test_where_the_call_is_refused_a_wait_is_rounded_up(self, backend, pair, number):
        """By a kernel that does not know it, an emulator, or a filter: it is asked once."""
        refusing = FailingKernel(backend.kernel)
        with refusing.failing(number, calls={FINE[backend.name]}), on_kernel(backend, refusing) as selector:
            assert selector.resolution == 1e-3
            selector.register(pair[0], EVENT_READ)
            refusing.calls.clear()
            for timeout in (1e-9, 0.0003, 0.0011, 0.004):
                start = time.monotonic()
                assert selector.select(timeout) == []
                assert time.monotonic() - start >= timeout
            assert refusing.calls[FINE[backend.name]] == 0
            assert selector.resolution == 1e-3

    def test_a_refusal_during_a_wait_does_not_end_it(self, backend):
        """Filters of system calls may be installed at any time."""
        refusing = FailingKernel(backend.kernel)
        with (
            on_kernel(backend, refusing) as selector,
            refusing.failing(errno.EPERM, calls={FINE[backend.name]}),
        ):
            for _ in range(3):
                start = time.monotonic()
                assert selector.select(0.0011) == []
                assert time.monotonic() - start >= 0.0011
            assert refusing.calls[FINE[backend.name]] == 1
            assert selector.resolution == 1e-3

    def test_without_ctypes_too(self, backend, monkeypatch):
        monkeypatch.setitem(sys.modules, "muxloop.selectors_impl.nanosecond_calls", None)
        monkeypatch.delattr(sys.modules["muxloop.selectors_impl"], "nanosecond_calls", raising=False)
        kernel._nanosecond_calls.cache_clear()
        try:
            with backend() as selector:
                assert selector.resolution == 1e-3
                start = time.monotonic()
                assert selector.select(0.0011) == []
                assert time.monotonic() - start >= 0.0011
        finally:
            kernel._nanosecond_calls.cache_clear()

    def test_what_gets_ready_meanwhile_is_reported(self, backend, pair):
        def send() -> None:
            pair[1].send(b"x")

        with on_kernel(backend, Interposed(backend.kernel, FINE[backend.name], send)) as selector:
            key = selector.register(pair[0], EVENT_READ)
            while not (ready := selector.select(0.0011)):
                pass  # a busy machine spent the whole time in the first part
            assert ready == [(key, EVENT_READ)]

    def test_what_was_registered_or_changed_before_is_what_counts(self, backend, pair):
        """The files that ppoll is given are kept from one wait to the next."""
        ours, theirs = pair
        sends: list[bytes] = []

        def send() -> None:
            if sends:
                theirs.send(sends.pop())

        def select() -> list[Any]:
            sends[:] = [b"x"]
            while sends:
                ready = selector.select(0.0011)
            return ready

        with on_kernel(backend, Interposed(backend.kernel, FINE[backend.name], send)) as selector:
            assert select() == []
            ours.recv(1)
            key = selector.register(ours, EVENT_READ)
            assert select() == [(key, EVENT_READ)]
            ours.recv(1)
            selector.unregister(ours)
            assert select() == []

    def test_an_alarm_that_was_false_is_no_end(self, backend, pair):
        """What was ready can be taken by somebody else before it is fetched; a signal ends the call early."""
        answers = [True, False, True, False]

        def answer() -> bool | None:
            return answers.pop() if answers else None

        with on_kernel(backend, Interposed(backend.kernel, FINE[backend.name], answer)) as selector:
            selector.register(pair[0], EVENT_READ)
            while answers:
                start = time.monotonic()
                assert selector.select(0.0011) == []
                assert time.monotonic() - start >= 0.0011

    def test_the_exception_of_a_signal_handler_passes_through(self, backend, pair):
        def interrupt() -> None:
            raise KeyboardInterrupt

        with on_kernel(backend, Interposed(backend.kernel, FINE[backend.name], interrupt)) as selector:
            key = selector.register(pair[0], EVENT_READ)
            with pytest.raises(KeyboardInterrupt):
                is_ever_on_time(selector.select)
            pair[1].send(b"x")
            assert selector.select(60) == [(key, EVENT_READ)]


@pytest.mark.skipif(CLASSES["epoll"].probe() is not None, reason="needs epoll")
class TestCalls:
    """The two system calls that the library lacks."""

    @pytest.fixture(params=["epoll_pwait2", "ppoll"])
    def wait(self, request, pair):
        name = request.param
        with real_select.epoll() as epoll:
            epoll.register(pair[0].fileno(), real_select.EPOLLIN)
            first = epoll.fileno() if name == "epoll_pwait2" else pollfds([(pair[0].fileno(), 1)])
            try:
                getattr(kernel, name)(first, 0.0)
            except OSError as error:
                pytest.skip(str(error))
            yield lambda seconds: getattr(kernel, name)(first, seconds)

    @pytest.fixture
    def signals(self):
        """The signals that have come to this thread, one each 5 ms; raises what the test puts on top."""
        came: list[object] = []
        is_over = threading.Event()

        def handle(*_: object) -> None:
            last = came[-1] if came else None
            came.append("signal")
            if isinstance(last, BaseException):
                raise last

        def send(thread: int = threading.get_ident()) -> None:
            while not is_over.wait(0.005):
                signal.pthread_kill(thread, signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, handle)
        sender = threading.Thread(target=send)
        sender.start()
        yield came
        is_over.set()
        sender.join()
        signal.signal(signal.SIGUSR1, before)

    def test_it_tells_what_is_ready(self, wait, pair):
        assert wait(0.0) is False
        start = time.monotonic()
        assert wait(0.0005) is False
        assert time.monotonic() - start >= 0.0005
        pair[1].send(b"x")
        assert wait(0.0) is wait(60.0) is True

    def test_a_signal_ends_it_and_its_handler_runs(self, wait, signals):
        assert wait(60.0) is False
        assert signals

    def test_the_exception_of_a_signal_handler_passes_through(self, wait, signals):
        def wait_for_interrupt() -> None:
            signals.append(KeyboardInterrupt())
            wait(60.0)

        with pytest.raises(KeyboardInterrupt):
            wait_for_interrupt()

    def test_an_error_is_raised(self):
        with pytest.raises(OSError, match="Bad file descriptor"):
            kernel.epoll_pwait2(-1, 0.0)
