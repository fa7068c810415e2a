"""Actions of other threads, of signal handlers and of finalisers."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from typing import Any

from ..program import Program, walk
from .scheduling import COUNTING, Scheduling

DROPPED_INSIDE = 6
"""So many objects die inside one call_soon_threadsafe, so that one of them meets its weakest point."""
_PYTHON_HANDLER = "the handler of SIGUSR1"
"""What is expected from the moment the signal is sent until Python has called its handler."""
ROUND_TRIP_S = 0.5
"""A ping-pong that waits longer than this (times the tolerance) has lost its wake-up."""


class Threads(Scheduling):
    """thread, flood, pingpong, on_signal, signal, finalize."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._old_handler: Any = None

    # -- threads -----------------------------------------------------------------------------------------

    def do_thread(self, label: str, body: Program) -> None:
        """What the thread will schedule is expected from now on: the loop must not go to its end before."""
        mine = self.fresh(label)
        for action in walk(body):
            if action[0] in ("soon", "threadsafe", "later", "at"):
                self.expect(action[1])
            elif action[0] in ("flood", "pingpong"):
                for i in range(action[2]):
                    self.expect(f"{action[1]}#{i}")
            elif action[0] in ("kill", "signal"):
                self.expect(mine)
        thread = threading.Thread(target=self._perform_in_thread, args=(mine, body), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _perform_in_thread(self, lane: str, body: Program) -> None:
        self._lanes[threading.get_ident()] = lane
        self.note("thread-started", lane)
        failed = False
        for action in body:
            before = len(self.events)
            self.perform((action,))
            failed = failed or any(
                (kind == "called" and data.get("error")) or kind == "unsent"
                for _, _, kind, _, data in self.events[before:]
            )
        awaited = lane in self._expected
        self.met(lane)
        self.note("thread-ended", lane)
        if (failed or (awaited and not self._expected)) and not self.loop.is_closed():
            # What was refused will never run; nothing else may come that lets the loop see that it is done.
            # Where something is still to come, it is not for us to wake the loop.
            self.loop.call_soon_threadsafe(self.consider_ending)

    def join_threads(self) -> None:
        for thread in self._threads:
            thread.join(5)

    def do_flood(self, label: str, count: int) -> None:
        for i in range(count):
            self._schedule("threadsafe", f"{label}#{i}", (), None)

    def do_pingpong(self, label: str, count: int) -> None:
        answered = threading.Event()
        for i in range(count):
            name = f"{label}#{i}"
            answered.clear()

            def answer(name: str = name) -> None:
                answered.set()
                self.arrived(name)

            self.loop.call_soon_threadsafe(answer)
            if not answered.wait(ROUND_TRIP_S * self.tolerance):
                self.note("lost", name)
                for rest in range(i, count):
                    self.met(f"{label}#{rest}")
                return

    # -- signals -----------------------------------------------------------------------------------------

    def do_on_signal(self, label: str, body: Program) -> None:
        def handle(*_: object) -> None:
            self._schedule("threadsafe", label, body, None)
            self.met(_PYTHON_HANDLER)

        self._old_handler = signal.signal(signal.SIGUSR1, handle)

    def do_signal(self) -> None:
        if self._old_handler is None:
            return
        self.note("signalled")
        self.expect(_PYTHON_HANDLER)
        # Sent to the process, it might end another thread's wait, and the loop's would go on (signal(7)).
        signal.pthread_kill(self._main, signal.SIGUSR1)

    def restore_signals(self) -> None:
        if self._old_handler is not None:
            signal.signal(signal.SIGUSR1, self._old_handler)
            self._old_handler = None

    # -- finalisers --------------------------------------------------------------------------------------

    def do_finalize(self, label: str, body: Program, text: str = "drop") -> None:
        if text == "inside":
            self._drop_inside_a_call([_Finalised(self, label, body) for _ in range(DROPPED_INSIDE)])
        elif text == "cancel":
            self.loop.call_later(60, print, _Finalised(self, label, body)).cancel()
        else:
            _Finalised(self, label, body)
        if not COUNTING:
            gc.collect()

    def _drop_inside_a_call(self, dying: list[_Finalised]) -> None:
        """Let objects die, one after the other, at whatever the loop does inside call_soon_threadsafe."""

        def drop_one(*_: object) -> None:
            if dying:
                dying.pop()
                if not COUNTING:
                    gc.collect()

        sys.setprofile(drop_one)
        try:
            self.loop.call_soon_threadsafe(_nothing)
        finally:
            sys.setprofile(None)
            dying.clear()


def _nothing() -> None:
    """A callback that only has to be scheduled."""


class _Finalised:
    """Schedules a callback when it is collected."""

    def __init__(self, stage: Threads, label: str, body: Program) -> None:
        self.stage, self.label, self.body = stage, label, body

    def __del__(self) -> None:
        if not self.stage.loop.is_closed():
            self.stage.note("finalised", self.label)
            self.stage._schedule("threadsafe", self.label, self.body, None)
