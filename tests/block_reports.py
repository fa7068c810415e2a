"""What tests of the watchdog block on, and how the watchdog lets go of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from traceback import StackSummary
from typing import Any

from loops_under_test import turn
from muxloop import EventLoop

THRESHOLD_S = 0.02


class Reports:
    """An action that keeps what it is told, and lets go of the callback that blocks."""

    def __init__(self, until: int = 1) -> None:
        self.until = until  # how many reports it waits for
        self.seen: list[tuple[Any, StackSummary, float]] = []
        self.threads: list[threading.Thread] = []
        self.let_go = threading.Event()

    def __call__(self, loop: Any, stack: StackSummary, blocked: float) -> None:
        self.seen.append((loop, stack, blocked))
        self.threads.append(threading.current_thread())
        # A machine that stalls may be so slow on its way into the wait that this is reported first.
        if len(self.seen) >= self.until and "wait" in [call.name for call in stack]:
            self.let_go.set()

    def block(self) -> None:
        self.let_go.wait()
        self.let_go.clear()

    def block_in(self, loop: EventLoop) -> None:
        """Let a turn of ``loop`` block until that is reported."""
        # On a machine that stalls, the turn before may have been reported twice.
        self.until = len(self.seen) + 1
        loop.call_soon(self.block)
        turn(loop)

    def functions(self) -> list[str]:
        return [call.name for call in self.seen[-1][1]]


class Letting(logging.Handler):
    """Lets go of the callback that blocks once a block is logged in the right words."""

    words = "in wait"

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.let_go = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        if self.words in record.getMessage():
            self.let_go.set()


def watchdogs() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "muxloop-watchdog"]


def listening() -> Iterator[Letting]:
    """For a fixture: what asyncio's logger is told, until the test is over."""
    handler = Letting()
    logging.getLogger("asyncio").addHandler(handler)
    yield handler
    logging.getLogger("asyncio").removeHandler(handler)
