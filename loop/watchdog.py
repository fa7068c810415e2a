"""A thread that notices when a loop has been busy with one turn for too long.

The loop tells it two things, by plain stores: when the batch that runs was begun (``since``), and that none
runs (None). The thread sleeps until the batch it saw would have lasted too long, and looks again; found idle,
it parks without a timeout. So

- an idle loop and its parked thread cost nothing: neither wakes,
- a busy loop pays for a clock reading and two stores a turn, nothing per callback, and wakes the thread at
  most once per threshold, for it parks no sooner than that.

Parking is the handshake of ``wakeup.py``: the thread writes ``parked`` before it takes its last look at
``since``, the loop writes ``since`` before it looks at ``parked``, so one of them sees the other. The bell is
a ``SimpleQueue``, because a signal handler or finaliser may ring it that interrupts a ringing.

No signals: a timer signal would end system calls of the program, and reaches the main thread only.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from asyncio import format_helpers
from asyncio.log import logger
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from traceback import FrameSummary, StackSummary, walk_stack
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

if TYPE_CHECKING:
    from .core import Core

Action = Callable[[Any, StackSummary, float], object]

# A condition variable cannot wait for years.
_LONGEST_SLEEP_S = 24 * 3600.0
# How long close() waits for an action that is under way: one that waits for the closer would never end.
_PATIENCE_S = 1.0


class Watchdog:
    """Watches one loop for turns of ``threshold_s`` seconds or more."""

    __slots__ = (
        "__weakref__",
        "_action",
        "_bell",
        "_code",
        "_ended",
        "_loop",
        "_thread",
        "_threshold_s",
        "parked",
        "since",
    )

    def __init__(self, loop: Core, threshold_s: float, action: Action, code: CodeType) -> None:
        self.since: float | None = None  # time.monotonic() of the batch under way
        self.parked = True  # the thread waits for the bell, or was not started yet
        self._threshold_s = threshold_s
        self._action = action
        self._code = code  # of the function that calls callbacks: what is above it in the stack is theirs
        self._loop = ref(loop)  # the thread must not keep a forgotten loop alive
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended = False
        _watchdogs.add(self)

    def ring(self) -> None:
        """Let the thread look; starts it at the first time. For a loop that finds it parked."""
        if self._thread is None:
            self.since = None  # what the start takes is not the program's doing
            self._start()
            self.since = time.monotonic()
        self.parked = False
        self._bell.put(None)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="muxloop-watchdog", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no threads left, or the interpreter is shutting down
            logger.warning("%r is not watched for blocking: %s", self._loop(), error)

    def end(self) -> None:
        """Let the thread end, after the action that may be under way."""
        self._ended = True
        _watchdogs.discard(self)
        self._bell.put(None)

    def join(self) -> None:
        """Wait for the end of the thread, for a while."""
        thread = self._thread
        if thread is not None and thread.ident is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE_S)

    def _watch(self) -> None:
        seen: float | None = None
        limit = 0.0  # how long the batch that was seen may last until it is reported
        while not self._ended:
            since = self.since
            if since is None:
                self.parked = True
                if self.since is None:
                    self._bell.get()
                self.parked = False
                continue
            if since is not seen:
                seen, limit = since, self._threshold_s
            blocked = time.monotonic() - since
            if blocked < limit:
                # Never longer than the threshold: another batch may begin meanwhile.
                with suppress(Empty):
                    self._bell.get(timeout=min(limit - blocked, self._threshold_s, _LONGEST_SLEEP_S))
                continue
            self._report(since, blocked)
            while limit <= blocked:
                limit *= 2

    def _report(self, since: float, blocked: float) -> None:
        loop = self._loop()
        stack = None if loop is None else self._stack_of(loop, since)
        if stack is None:
            return
        try:
            self._action(loop, stack, blocked)
        except BaseException:
            logger.exception("The action of set_blocked_threshold() failed: %r", self._action)

    def _stack_of(self, loop: Core, since: float) -> StackSummary | None:
        """What the loop's thread is doing, outermost call first; None if the batch has just ended."""
        frame = sys._current_frames().get(loop._thread_id or 0)
        calls: list[tuple[FrameType, int]] = []
        callback = None
        for call in walk_stack(frame):
            is_loop = call[0].f_code is self._code
            if is_loop and not calls:  # written in C, or so it seems: the only frame that knows it is ours
                callback = call[0].f_locals.get("callback")
            if not is_loop or not calls:
                calls.append(call)
            if is_loop:
                break
        if self.since is not since:
            return None  # the frames may be those of a later batch
        calls.reverse()
        stack = StackSummary.extract(iter(calls))
        if callback is not None:
            _name(stack[-1], callback)
        return stack

    def _part_from_parent(self) -> None:
        """In a forked child, which has no thread, and maybe a bell locked by it."""
        self._thread = None
        self._bell = SimpleQueue()
        self.parked = True


def _name(summary: FrameSummary, callback: Callable[..., object]) -> None:
    # Not its arguments: their reprs are foreign code, which expects to run in the loop's thread.
    summary.locals = {"callback": format_helpers._format_callback_source(callback, ())}


_watchdogs: WeakSet[Watchdog] = WeakSet()


def _after_fork_in_child() -> None:
    for watchdog in list(_watchdogs):
        watchdog._part_from_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
