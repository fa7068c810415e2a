"""Waits of a selector, each result noted beside what the model owes (``selector_model.py``).

Nothing else happens between the kernel's answers about each file alone and the selector's own, so that they
must agree.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from selectors import EVENT_READ, BaseSelector, SelectorKey
from typing import Any

from ..program import Program
from ..vocabulary.selectors import SETTLING
from . import kernel
from .misusing import Misusing
from .stage import CHILD_S

_OUTPUT_AT_ONCE = 1 << 16


class SelectorPlayer(Misusing):
    """select, settle, many, alarm, wake, fork; and all that may happen to a selector between them."""

    def __init__(self, make_selector: Callable[[], BaseSelector], tolerance: float = 1.0) -> None:
        super().__init__(make_selector, tolerance)
        self._many_seen: set[int] = set()
        self._threads: list[threading.Thread] = []
        self._old_handler: Any = None

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(5)
        if self._old_handler is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old_handler)
        if not self.books.closed:
            self.selector.close()
        self.close_pairs()
        for ours, peer in self.many:
            ours.close()
            peer.close()

    def do_select(self, ms: Any) -> None:
        timeout = None if ms == "none" else ms / 1000
        before = self._ready_now()
        started = time.monotonic()
        error, reported = None, []
        try:
            reported = self.selector.select(timeout)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        elapsed = time.monotonic() - started
        after = self._ready_now()
        owed = {
            pair: file.owed(before.get(pair, (0, 0)), after.get(pair, (0, 0)))
            for pair, file in self.books.registered()
        }
        self.note(
            "selected",
            str(ms),
            timeout=timeout,
            elapsed=elapsed,
            error=error,
            must={str(pair): must for pair, (must, _) in owed.items() if must},
            may={str(pair): may for pair, (_, may) in owed.items()},
            settled=self.books.settled,
            **self._sorted(reported),
            many_ready=len(self.many),
        )
        self.books.follow(("select", ms))

    def _sorted(self, reported: list[tuple[SelectorKey, int]]) -> dict[str, Any]:
        """What was reported, by pair, and what is wrong with it whatever the files are ready for."""
        seen: dict[str, int] = {}
        problems = []
        own = {ours.fileno() for ours, _ in self.many}
        numbers = {self.pairs[pair].number: (pair, file) for pair, file in self.books.registered()}
        for key, mask in reported:
            if key.fd not in numbers:
                self._many_seen.add(key.fd)
                if key.fd not in own:
                    problems.append(f"fd {key.fd} reported, which is not registered")
                continue
            pair, file = numbers[key.fd]
            if not mask or mask & ~file.events:
                problems.append(f"file {pair} reported with mask {mask}, registered for {file.events}")
            if str(pair) in seen:
                problems.append(f"file {pair} reported twice")
            if file.sound and key.data != self._data[pair]:
                problems.append(f"file {pair} reported with the data of another registration")
            seen[str(pair)] = seen.get(str(pair), 0) | mask
        return {"seen": seen, "problems": problems, "many_seen": len(self._many_seen)}

    def _ready_now(self) -> dict[int, tuple[int, int]]:
        """What the kernel says of each registered file that can be asked about; one by one."""
        return {
            pair: kernel.readiness(self.pairs[pair].number)
            for pair, file in self.books.registered()
            if file.sound
        }

    def do_settle(self) -> None:
        """Wait, without blocking, as often as a mechanism may need to notice what was closed."""
        error, rounds = None, 0
        try:
            for rounds in range(1, SETTLING + 1):  # noqa: B007 - how far it came is noted
                self.selector.select(0)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("settled", error=error, count=rounds)
        self.books.follow(("settle",))

    def do_many(self, count: int) -> None:
        """Open that many pairs, or as many as the process may have; make each readable and register it."""
        for _ in range(count):
            try:
                ours, peer = socket.socketpair()
            except OSError as error:
                self.note("enough", str(len(self.many)), error=str(error))
                return
            peer.send(b"x")
            self.many.append((ours, peer))
            self.selector.register(ours, EVENT_READ)

    def do_alarm(self, ms: float) -> None:
        arrived: list[int] = []
        self._old_handler = self._old_handler or signal.signal(signal.SIGALRM, lambda *_: arrived.append(1))
        signal.setitimer(signal.ITIMER_REAL, ms / 1000)

    def do_wake(self, pair: int, ms: float) -> None:
        peer = self.pair(pair).peer

        def send() -> None:
            time.sleep(ms / 1000)
            peer.send(b"x")

        thread = threading.Thread(target=send, daemon=True)
        self._threads.append(thread)
        thread.start()

    def do_fork(self, body: Program) -> None:
        """The child performs the body, reports what happened to it, and exits."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            self._live_as_child(body, write_end)
        os.close(write_end)
        report, hung = self._report_of(read_end)
        if hung:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        for at, _, *event in json.loads(report) if report and not hung else ():
            self.events.append((at, "child", *event))
        self.note("forked", exit=os.waitstatus_to_exitcode(status), hung=hung)

    def _live_as_child(self, body: Program, write_end: int) -> None:
        try:
            self.events.clear()
            try:
                self.perform(body)
            except Exception as error:
                self.note("broken-child", error=repr(error))
            with os.fdopen(write_end, "w") as report:
                json.dump(self.events, report, default=repr)
        finally:
            os._exit(0)

    def _report_of(self, read_end: int) -> tuple[str, bool]:
        """What the child wrote until it ended, and whether it took too long."""
        deadline = time.monotonic() + CHILD_S * self.tolerance
        parts: list[bytes] = []
        with os.fdopen(read_end, "rb", buffering=0) as report:
            while not parts or parts[-1]:
                readable, _, _ = select.select([report], [], [], max(0, deadline - time.monotonic()))
                if not readable:
                    return "", True
                parts.append(report.read(_OUTPUT_AT_ONCE))
        return b"".join(parts).decode(), False
