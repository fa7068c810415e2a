"""The event loop proper: what runs next.

A ready queue, a timer heap, a selector and a clock. This file knows no sockets, signals, tasks or
executors; they are written on top of it, in terms of handles. Its rules:

- Callbacks run in the order they were queued. One turn of the loop polls, queues what is ready, then the
  timers that are due, and runs exactly what stands in the queue at that moment: what is queued meanwhile
  waits for the next turn, after another poll, so that nobody starves I/O, timers or signals.
- KeyboardInterrupt and SystemExit leave the loop at once. The rest of the batch stays queued, in order,
  and is run first when the loop runs again.
- Whatever comes from another thread or a signal handler is appended to the queue and then announced to
  the waker; ``wakeup.py`` shows that no announcement is lost.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import sys
import threading
import time
import warnings
from asyncio.log import logger
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from selectors import EVENT_READ

from ..selectors_impl.renewal import renewed
from .asyncgens import AsyncGenerators
from .clock import Clock, Events, MonotonicClock
from .debugging import describe_running, examine_callback, is_debug_default
from .handles import (
    Callback,
    Handle,
    OwnedHandle,
    TimerHandle,
    TracedHandle,
    TracedTimerHandle,
    Ts,
)
from .readiness import Interest, Readiness
from .timers import TimerHeap
from .wakeup import Waker

_new_handle = Handle.__new__

# Threads that queue without a pause keep the GIL from the loop, whose batches would grow ever longer and
# starve its timers: beyond this length of the queue, each steps back. (4 threads: from no end to 5 ms)
_FLOODED = 10_000

# epoll, kqueue and io_uring forget a closed file without a word; a sock_* call would wait for it for ever.
# Files are closed by callbacks: so when the loop has come to rest after a batch, it looks once.
_REST_S = 0.1

# Waits end in vain now and then; an entry that nobody can remove makes each of them end so, 3 us apart.
_VAIN_WAITS_TO_RENEW = 100


class Core(AsyncGenerators):
    """Scheduling and running of callbacks."""

    # What few loops ever set stands here: CPython keeps 30 attributes in an object, and is slower with more
    # (call_soon chain 5 %).
    slow_callback_duration = 0.1
    _vain_waits = 0  # of a foreign selector: ended early, with nothing
    _origin_depth: int | None = None

    def __init__(self, selector: selectors.BaseSelector, clock: Clock | None = None) -> None:
        super().__init__()
        self._closed = True  # until there is something to close: what follows may run out of descriptors
        self._selector = selector
        self._clock = MonotonicClock() if clock is None else clock
        self._now = self._clock.time
        self._ready: deque[Handle | TimerHandle] = deque()
        self._timers = TimerHeap()
        self._readiness = Readiness(selector, self._ready)
        self._jobs: set[object] = set()  # and children under way, whose end a virtual clock cannot foresee
        # A foreign selector may do more in select() than look at our files, a GUI's for instance.
        self._must_poll = not hasattr(selector, "take_dropped")
        self._real_time = isinstance(self._clock, MonotonicClock)
        self._at_rest = not self._real_time  # nothing ran since the files were looked at
        self._stopping = False
        self._unfinished = 0  # how much of a batch KeyboardInterrupt or SystemExit left behind
        self._thread_id: int | None = None
        self._process_id = os.getpid()
        self._install_waker()
        self._closed = False
        self._debug = False
        self._strict = False  # closed or in debug mode: scheduling calls look twice
        self.set_debug(is_debug_default())

    def _install_waker(self) -> None:
        try:
            self._waker = Waker()
            self._interest = Interest(self._waker, None)
            self._interest.reader = OwnedHandle(self._waker.drain, (), self, Context())
            try:
                self._selector.register(self._waker.fileno(), EVENT_READ, self._interest)
            except BaseException:
                self._waker.close()
                raise
        except BaseException:
            self._selector.close()
            raise

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} running={self.is_running()} closed={self._closed} debug={self._debug} "
            f"selector={getattr(self._selector, 'name', type(self._selector).__name__)}>"
        )

    # Scheduling.

    def time(self) -> float:
        """Seconds on the loop's clock: monotonic, comparable only with itself."""
        return self._now()

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Handle:
        """Queue ``callback(*args)`` for the next turn, in FIFO order.

        RuntimeError if the loop is closed; in debug mode also from a foreign thread, and TypeError for
        coroutine functions and things that cannot be called. TypeError for None in every mode.
        """
        if self._strict or callback is None:
            self._examine("call_soon", callback)
            handle: Handle = TracedHandle(callback, args, self, context, sys._getframe().f_back)
        else:
            # Handle(callback, args, self, context), without a Python call. (micro: call_soon_batch 12 %)
            handle = _new_handle(Handle)
            handle._callback = callback
            handle._args = args
            handle._loop = self
            handle._context = copy_context() if context is None else context
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Handle:
        """As ``call_soon``, from any thread, signal handler or finaliser; wakes the loop if it waits."""
        if self._strict or callback is None:
            self._examine("call_soon_threadsafe", callback, any_thread=True)
            handle: Handle = TracedHandle(callback, args, self, context, sys._getframe().f_back)
        else:
            handle = Handle(callback, args, self, context)
        ready = self._ready
        ready.append(handle)
        if len(ready) > _FLOODED and self._thread_id != threading.get_ident():
            time.sleep(0)  # lets go of the GIL
        try:
            self._waker.wake()
        except OSError:
            if self._closed:
                raise RuntimeError("Event loop is closed") from None
            raise
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> TimerHandle:
        """Call ``callback(*args)`` in ``delay`` seconds, never earlier; zero or less: as soon as possible.

        Never for an infinite delay. ValueError for NaN and minus infinity; otherwise errors as ``call_soon``.
        """
        if delay is None:
            raise TypeError("call_later() needs a delay in seconds, got None")
        if self._strict or callback is None:
            self._examine("call_later", callback)
            frame = sys._getframe().f_back
            timer: TimerHandle = TracedTimerHandle(self._now() + delay, callback, args, self, context, frame)
        else:
            timer = TimerHandle(self._now() + delay, callback, args, self, context)
        self._timers.push(timer)
        return timer

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> TimerHandle:
        """Call ``callback(*args)`` when the loop's ``time()`` has reached ``when``; errors as ``call_later``.

        Callbacks of equal times are called in the order of these calls.
        """
        if when is None:
            raise TypeError("call_at() needs a time in seconds, got None")
        if self._strict or callback is None:
            self._examine("call_at", callback)
            frame = sys._getframe().f_back
            timer: TimerHandle = TracedTimerHandle(when, callback, args, self, context, frame)
        else:
            timer = TimerHandle(when, callback, args, self, context)
        self._timers.push(timer)
        return timer

    def _examine(self, method: str, callback: Callback, *, any_thread: bool = False) -> None:
        """What a scheduling call checks on a closed loop or in debug mode."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        examine_callback(callback, method)
        if not any_thread and self._thread_id not in (None, threading.get_ident()):
            # The first words are those of CPython's loop, which log filters know.
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one: "
                f"{method}() called from a foreign thread, use call_soon_threadsafe() there"
            )

    def _check_closed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    # Running.

    def run_forever(self) -> None:
        """Run until ``stop()``.

        Stopped before it runs, the loop polls once without waiting, runs what is queued, and returns.
        RuntimeError if the loop is closed or running, or another loop is running in this thread.
        """
        self._check_closed()
        self._check_not_running()
        hooks = sys.get_asyncgen_hooks()
        wakeup_fd = None
        try:
            self._thread_id = threading.get_ident()
            self._process_id = os.getpid()
            self._track_origins(self._debug)
            self._watch_asyncgens()
            asyncio._set_running_loop(self)
            wakeup_fd = self._waker.listen_to_signals()
            if not self._unfinished or self._finish_batch():
                self._turn_until_stopped()
        finally:
            self._stopping = False
            self._thread_id = None
            asyncio._set_running_loop(None)
            self._track_origins(False)
            sys.set_asyncgen_hooks(*hooks)
            if wakeup_fd is not None:
                signal.set_wakeup_fd(wakeup_fd)

    def stop(self) -> None:
        """Return from ``run_forever`` after this turn; what this turn queues waits for the next run."""
        self._stopping = True

    def is_running(self) -> bool:
        """Whether the loop runs; false in a process forked while it ran."""
        return self._thread_id is not None and self._process_id == os.getpid()

    def is_closed(self) -> bool:
        """Whether ``close()`` was called."""
        return self._closed

    def close(self) -> None:
        """Drop what is queued and free every descriptor; may be called again. RuntimeError while running."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop: stop() it first")
        if self._closed:
            return
        if self._debug:
            logger.debug("Close %r", self)
        self._closed = self._strict = True
        self._ready.clear()
        self._timers.clear()
        self._readiness.close()
        # Not in a forked child: the selector's kernel object may be its parent's as well.
        if self._process_id == os.getpid():
            with suppress(KeyError, ValueError, OSError):
                self._selector.unregister(self._waker.fileno())
        self._selector.close()
        self._waker.close()
        self._interest.reader = None  # the last cycle: a closed loop needs no collector

    def __del__(self) -> None:
        # Absent after an __init__ that raised at once.
        if not self.__dict__.get("_closed", True):
            warnings.warn(f"unclosed event loop {self!r}", ResourceWarning, stacklevel=2, source=self)
            if not self.is_running():
                self.close()

    def _check_not_running(self) -> None:
        if self.is_running():
            raise RuntimeError("This event loop is already running")
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    def _turn_until_stopped(self) -> None:
        ready = self._ready
        timers = self._timers
        heap = timers.heap
        interests = self._readiness.interests
        now = self._now
        while True:
            # With work queued and no file watched there is nothing to learn from a poll: threads and signal
            # handlers append to the queue themselves. (micro: call_soon chain 2.3 times as fast)
            if not ready or interests or self._must_poll:
                self._poll()
            if heap and heap[0][0] <= now():
                timers.take_due(now(), ready)
            self._run_batch(len(ready))
            if self._stopping:
                return

    def _finish_batch(self) -> bool:
        """Run what an interrupt left of its batch; whether to go on: nothing in it called ``stop()``.

        Polling first would queue a second time the files that the batch already holds.
        """
        stopped_before, self._stopping = self._stopping, False
        self._run_batch(self._unfinished)
        if self._stopping:
            return False
        self._stopping = stopped_before
        return True

    def _poll(self) -> None:
        """Queue what is ready, waiting for it if there is nothing to do."""
        waker = self._waker
        try:
            if self._ready or self._stopping:
                events = self._selector.select(0)
            else:
                readiness = self._readiness
                readiness.waits += 1
                if readiness.waits >= readiness.waits_per_patrol:
                    readiness.patrol()
                timers = self._timers
                deadline = timers.next_deadline() if timers.heap else None
                waker.armed = True
                # From here on whoever queues a callback wakes us; who did so before is seen by this look.
                if self._ready:
                    events = self._selector.select(0)
                elif readiness.has_waits and not self._at_rest:
                    events = self._rest(deadline)
                elif deadline is None and self._real_time and not self._must_poll:
                    events = self._selector.select()  # what the clock would do. (one reader: 0.2 of 3.8 us)
                else:
                    events = self._clock.wait(self._selector.select, deadline, outside_work=bool(self._jobs))
                    if not events and self._must_poll and (deadline is None or self._now() < deadline):
                        self._suspect_selector()
        except OSError:
            # A plain select() selector fails as a whole over one descriptor that was closed underfoot.
            if not self._readiness.prune():
                raise
            return
        finally:
            waker.armed = False
        self._readiness.queue(events)

    def _rest(self, deadline: float | None) -> Events:
        """Wait for a moment; if nothing comes, end the waits of ``sock_*`` calls for closed sockets."""
        until = self._now() + _REST_S
        if deadline is not None and deadline <= until:
            return self._clock.wait(self._selector.select, deadline, outside_work=False)
        events = self._clock.wait(self._selector.select, until, outside_work=False)
        if not events:
            self._at_rest = True
            self._readiness.end_lost_waits()
        return events

    def _suspect_selector(self) -> None:
        """Replace a foreign selector whose waits end before their time with nothing, if that may help."""
        self._vain_waits += 1
        if self._vain_waits >= _VAIN_WAITS_TO_RENEW:
            self._vain_waits = 0
            selector = renewed(self._selector)
            if selector is not None:
                self._selector = selector
                self._readiness.move_to(selector)

    def _run_batch(self, size: int) -> None:
        """Run the first ``size`` handles of the queue."""
        ready = self._ready
        debug = self._debug
        if size and self._real_time:
            self._at_rest = False
        try:
            while size:
                size -= 1
                handle = ready.popleft()
                callback = handle._callback
                if callback is None:
                    continue
                args = handle._args
                if debug:
                    self._current = handle
                    started = self._now()
                try:
                    # The only place where callbacks are called; everything else only queues handles.
                    handle._context.run(callback, *args)  # type: ignore[union-attr]  # not cancelled: it has one
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    self._callback_failed(handle, callback, args, error)
                if debug:
                    self._note_duration(handle, callback, self._now() - started)
        finally:
            self._unfinished = size
            if debug:
                self._current = None
            # The traceback of an exception that a task keeps leads to this frame, which must not lead back.
            handle = callback = args = None  # type: ignore[assignment]

    def _note_duration(self, handle: Handle | TimerHandle, callback: Callback, seconds: float) -> None:
        """Report a callback that blocked the loop for ``slow_callback_duration`` or more."""
        if seconds >= self.slow_callback_duration:
            logger.warning("Executing %s took %.3f seconds", describe_running(handle, callback), seconds)

    # Debug mode.

    def get_debug(self) -> bool:
        """Whether debug mode is on."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Switch debug mode: foreign threads, slow callbacks and uncallable callbacks are then reported.

        Source: https://docs.python.org/3/library/asyncio-dev.html#debug-mode
        """
        self._debug = self._readiness.debug = enabled
        self._strict = enabled or self._closed
        if self.is_running():
            self.call_soon_threadsafe(self._track_origins, enabled)

    def _track_origins(self, enabled: bool) -> None:
        """Make coroutines remember where they were created, or restore what was."""
        if enabled and self._origin_depth is None:
            self._origin_depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(10)
        elif not enabled and self._origin_depth is not None:
            sys.set_coroutine_origin_tracking_depth(self._origin_depth)
            self._origin_depth = None
