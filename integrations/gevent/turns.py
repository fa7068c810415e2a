"""The turns of a loop for gevent: when what is called.

A turn is, in this order: fork and prepare watchers; what ``run_callback`` queued, for as long as gevent's
switch interval at the most; the wait; then what came of it, check watchers last, each priority's in the
order it came, the highest first. The loop ends when no reference is left: no active watcher with ``ref``, and
no callback.

Callbacks switch to greenlets, which may not come back for long, or run the rest of the program: so every
piece of work leaves its queue before it is called, and what is left in the queues is found by the next turn.
An exception in a signal handler (KeyboardInterrupt, most often) may come between any two steps; where it
would lose something, the step says why it does not.
"""

from __future__ import annotations

import selectors
from collections import deque
from time import monotonic
from typing import Any

from ...loop.handles import Handle, TimerHandle
from ...loop.timers import TimerHeap
from .callbacks import Callback
from .files import Io, Registrations
from .process import wakeup_descriptor
from .waker import GilHoldingWaker
from .watchers import FIRED, MAXPRI, MINPRI, READ, Watcher

# As many callbacks are called between two looks at the clock.
_CALLBACKS_PER_LOOK = 1000


class Turns:
    """The queues, and what takes from them. Over one selector, which it owns from now on."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        try:
            self._waker = GilHoldingWaker()
        except BaseException:
            selector.close()
            raise
        self._destroyed = False
        self._breaking = False
        self._forked = False
        self._refs = 0  # active watchers that keep the loop running
        self._callbacks: deque[Callback] = deque()
        self._sent: deque[Any] = deque()  # watchers that threads and signal handlers have fed
        self._due: deque[Handle | TimerHandle] = deque()
        self._queues: tuple[deque[Watcher], ...] = tuple(deque() for _ in range(MINPRI, MAXPRI + 1))
        self._turns: dict[str, list[Watcher]] = {"fork": [], "prepare": [], "idle": [], "check": []}
        self._timers = TimerHeap()
        self._registrations = Registrations(selector)
        selector.register(self._waker.fileno(), READ)
        self._now = monotonic()

    @property
    def activecnt(self) -> int:
        """How many active watchers and queued callbacks keep the loop running. ValueError once destroyed."""
        self._require_intact()
        return self._refs + len(self._callbacks)

    @property
    def pendingcnt(self) -> int:
        """How many watchers wait for their callbacks to be called."""
        return sum(map(len, self._queues))

    def _queue_of(self, priority: int) -> deque[Watcher]:
        """Where the pending watchers of a priority wait; one beyond the limits counts as the limit."""
        return self._queues[MAXPRI - min(max(priority, MINPRI), MAXPRI)]

    # Running.

    def run(self, nowait: bool = False, once: bool = False) -> None:
        """Run until no reference is left, or ``break_()``. ``once``: one turn; ``nowait``: without a wait.

        ValueError if the loop was destroyed.
        """
        self._require_intact()
        self._breaking = False
        listening = wakeup_descriptor.set(self._waker)
        try:
            while True:
                try:
                    self._turn(nowait)
                except BaseException as error:  # raised by a signal handler
                    self._report(None, error)
                if self._breaking or nowait or once or self._destroyed or not self.activecnt:
                    return
        finally:
            self._breaking = False
            if listening:
                wakeup_descriptor.unset()

    def break_(self, how: object = None) -> None:  # noqa: ARG002 - libev's: one loop or all of nested ones
        """Have ``run()`` return after this turn."""
        self._breaking = True

    def _turn(self, nowait: bool) -> None:
        turns = self._turns
        if self._forked:
            self._forked = False
            self._feed_all("fork")
        if turns["prepare"]:
            self._feed_all("prepare")
            self._call_pending()
        self._run_callbacks()
        if self._breaking or self._destroyed:
            return
        self._wait(nowait)
        self._take_sent()
        self._take_due()
        if turns["idle"]:
            self._feed_idle()
        if turns["check"]:
            self._feed_all("check")
        self._call_pending()

    def _run_callbacks(self) -> None:
        """Call what ``run_callback`` queued, and what that queues, for one switch interval at the most."""
        callbacks = self._callbacks
        if not callbacks:
            return
        end = monotonic() + self._switch_interval()
        count = 0
        while callbacks:
            entry = callbacks.popleft()
            callback, args = entry.callback, entry.args
            entry.callback = None
            if callback is not None and args is not None:
                try:
                    callback(*args)
                except BaseException as error:
                    self._report(entry, error)
                finally:
                    entry.args = None
            count += 1
            if count % _CALLBACKS_PER_LOOK == 0 and monotonic() >= end:
                break

    def _wait(self, nowait: bool) -> None:
        """Wait in the selector, and queue the watchers of what is ready."""
        registrations = self._registrations
        if registrations._vain_writes:
            registrations.before_wait()
        waker = self._waker
        try:
            waker.armed = True
            # From here on whoever queues something wakes us; who did so before is seen by this look.
            events = self._selector.select(self._timeout(nowait))
        except OSError:
            # A selector of somebody else's may fail as a whole over one file that was closed underfoot.
            if not registrations.prune():
                raise
            return
        finally:
            waker.armed = False
            self._now = monotonic()
        # An exception in this loop loses nothing: what is ready is reported again.
        for key, mask in events:
            registration = key.data
            if registration is None:
                waker.drain()
                continue
            if mask & ~registration.wanted:
                registrations.narrow(registration)
            for watcher in registration.watchers:
                ready = mask & watcher._events
                if ready:
                    if not watcher.revents:
                        watcher._queue.append(watcher)
                    watcher.revents |= ready
        registrations.lose_dropped()

    def _timeout(self, nowait: bool) -> float | None:
        if nowait or not self._refs or self._callbacks or self._sent or self._due or self._turns["idle"]:
            return 0.0
        if any(self._queues):
            return 0.0
        deadline = self._timers.next_deadline()
        return None if deadline is None else max(deadline - monotonic(), 0.0)

    def _take_sent(self) -> None:
        sent = self._sent
        while sent:
            watcher = sent.popleft()
            watcher.sent = False
            if watcher.active:
                self._feed(watcher)

    def _take_due(self) -> None:
        heap = self._timers.heap
        due = self._due
        if heap and heap[0][0] <= monotonic():
            self._timers.take_due(monotonic(), due)
        while due:
            timer = due[0]  # stays until it has fired: once more is better than never
            if timer._callback is not None:
                timer._callback()
            due.popleft()

    def _feed(self, watcher: Watcher, revents: int = FIRED) -> None:
        """Have a watcher's callback called in this turn."""
        if not watcher.revents:
            watcher._queue.append(watcher)
        watcher.revents |= revents

    def _feed_all(self, moment: str) -> None:
        for watcher in self._turns[moment]:
            self._feed(watcher)

    def _feed_idle(self) -> None:
        """The idle watchers of the highest priority that has any, unless something as urgent is pending."""
        for queue in self._queues:
            if queue:
                return
            idle = [watcher for watcher in self._turns["idle"] if watcher._queue is queue]
            for watcher in idle:
                self._feed(watcher)
            if idle:
                return

    def _call_pending(self) -> None:
        """Call the callbacks of pending watchers: the only place where those are called."""
        queues = self._queues
        level = 0
        while level < len(queues):
            queue = queues[level]
            if not queue:
                level += 1
                continue
            # Between this and the call nothing can raise: no Python function is entered.
            watcher = queue.popleft()
            revents = watcher.revents
            callback = watcher._callback
            if revents and callback is not None:
                watcher.revents = 0
                args = watcher._args or ()
                try:
                    if watcher.passes_events:
                        callback(revents, *args)
                    else:
                        callback(*args)
                except BaseException as error:
                    self._report(watcher, error)
                    if isinstance(watcher, Io):
                        watcher.stop()  # the file is as ready as before: it would fail for ever
                if not watcher.active and not watcher.revents:
                    watcher.stop()  # a timer that is over lets go of its callback
                level = 0
            watcher = callback = args = None  # type: ignore[assignment]  # this frame may wait for long

    def _send(self, watcher: Any) -> None:
        """Have ``_feed(watcher)`` called in the loop; from any thread or signal handler."""
        self._sent.append(watcher)
        self._waker.wake()

    # What the loop adds.

    def _report(self, context: object, error: BaseException) -> None:
        raise NotImplementedError

    def _require_intact(self) -> None:
        raise NotImplementedError

    def _switch_interval(self) -> float:
        raise NotImplementedError
