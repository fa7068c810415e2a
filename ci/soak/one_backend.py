"""``python ci/soak/one_backend.py JOB``: the soak of one backend, in its own process.

Storms of random activities, each followed by a checkpoint: all ends, all that was opened is gone, and the
loop rests. Prints what was found as JSON. What hangs is ended by a watchdog that prints every thread's stack.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import importlib
import itertools
import json
import logging
import os
import random
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import connections
import descriptors
import forks
import holdings
import scheduling
import threads
from holdings import Holdings, Rest
from ledger import Soak
from muxloop import open_selector

_LONGEST_STORM_S = 10.0
_THREADS = 4
_MOST_AT_ONCE = 8

Activity = Callable[[Soak, random.Random], Awaitable[None]]

# How often each is chosen.
ACTIVITIES: dict[Activity, float] = {
    connections.echo_clients: 6,
    connections.streams: 3,
    connections.sock_calls: 3,
    connections.refused: 1,
    descriptors.pipes: 4,
    descriptors.ptys: 3,
    descriptors.datagrams: 3,
    descriptors.udp: 3,
    descriptors.always_ready: 1,
    descriptors.closed_underfoot: 6,
    scheduling.timers: 2,
    scheduling.callbacks: 1,
    scheduling.cancelled_tasks: 3,
    scheduling.queues: 1,
    threads.threadsafe: 3,
    threads.lone_wakeups: 2,
    threads.executors: 2,
    threads.signals: 2,
    forks.forks: 2,
    forks.programs: 0.1,
}


@dataclass(frozen=True)
class Job:
    """What the process is started for."""

    backend: str
    loop: str
    """MODULE:CLASS of a loop that takes a selector."""
    seed: int
    seconds: float
    patience_s: float


def new_loop(job: Job) -> asyncio.AbstractEventLoop:
    """A loop on the backend, which may be kqueue's emulation."""
    module, _, name = job.loop.partition(":")
    if job.backend == "kqueue-emulated":
        from selectors_under_test import CLASSES

        selector: Any = CLASSES[job.backend]()
    else:
        selector = open_selector(job.backend)
    loop = getattr(importlib.import_module(module), name)(selector)
    loop._soaked = selector
    assert isinstance(loop, asyncio.AbstractEventLoop)
    return loop


class Run:
    """One soak from the first storm to the closed loop."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.began_with = holdings.open_descriptors()
        self.loop = new_loop(job)
        asyncio.set_event_loop(self.loop)
        selector = self.loop._soaked  # type: ignore[attr-defined]
        self.soak = Soak(self.loop, selector, lambda: new_loop(job), job.patience_s)
        self.waits: Counter[str] = Counter()
        self.checkpoints = 0
        self.memory_kib: list[int] = []  # at each checkpoint
        # Before anything was done, and now.
        self.before = self.after = Holdings()
        self.rest = Rest()
        self._count_waits(selector)
        self._listen_for_faults()
        self.loop.set_default_executor(ThreadPoolExecutor(_THREADS))

    def _count_waits(self, selector: Any) -> None:
        select, waits = selector.select, self.waits

        def counted(timeout: float | None = None) -> Any:
            waits["select"] += 1
            return select(timeout)

        selector.select = counted

    def _listen_for_faults(self) -> None:
        fault = self.soak.fault
        self.loop.set_exception_handler(
            lambda _, context: fault(f"exception handler: {context['message']}: {context.get('exception')!r}")
        )
        sys.unraisablehook = lambda it: fault(f"unraisable: {it.err_msg}: {it.exc_value!r}")
        threading.excepthook = lambda it: fault(f"thread: {it.exc_value!r}")
        warnings.simplefilter("error", ResourceWarning)
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: fault(f"log: {record.getMessage()}")  # type: ignore[method-assign]
        logging.getLogger("asyncio").addHandler(handler)

    def go(self) -> None:
        """Storm after storm until the time is up, then close the loop."""
        storm_s = min(_LONGEST_STORM_S, self.job.seconds / 4)
        run = self.loop.run_until_complete
        self._feed_the_watchdog()
        run(self._fill_the_pool())
        empty = holdings.take_stock(self.soak)
        run(self._warm_up())
        self.before = self.after = run(self._checkpoint(lambda now: now.differences(empty)))
        end = time.monotonic() + self.job.seconds
        for number in itertools.count():
            if self.soak.faults or time.monotonic() >= end:
                break
            self._feed_the_watchdog(storm_s)
            run(self._storm(number, storm_s))
            self.after = run(self._checkpoint(lambda now: now.grown_beyond(self.before)))
        faulthandler.cancel_dump_traceback_later()
        run(self.loop.shutdown_default_executor())
        self.loop.close()
        left = holdings.open_descriptors() - self.began_with
        if left:
            self.soak.fault(f"descriptors: {left} more than before the loop was made")

    def _feed_the_watchdog(self, seconds: float = 0) -> None:
        # The loop itself ends every activity after `patience_s`. This is for when it no longer can.
        faulthandler.dump_traceback_later(seconds + 2 * self.job.patience_s, exit=True)

    async def _fill_the_pool(self) -> None:
        barrier = threading.Barrier(_THREADS)
        await asyncio.gather(*[asyncio.to_thread(barrier.wait) for _ in range(_THREADS)])

    async def _warm_up(self) -> None:
        """Let every activity import and cache what it will."""
        rng = random.Random(self.job.seed)
        for activity in ACTIVITIES:
            self._feed_the_watchdog()
            await self._perform(activity, rng)

    async def _storm(self, number: int, seconds: float) -> None:
        rng = random.Random(f"{self.job.seed} {number}")
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(rng.randint(1, _MOST_AT_ONCE)):
                group.create_task(self._be_busy(random.Random(rng.random()), end))

    async def _be_busy(self, rng: random.Random, end: float) -> None:
        while time.monotonic() < end and not self.soak.faults:
            (activity,) = rng.choices(list(ACTIVITIES), list(ACTIVITIES.values()))
            await self._perform(activity, rng)

    async def _perform(self, activity: Activity, rng: random.Random) -> None:
        name = activity.__name__
        try:
            async with asyncio.timeout(self.job.patience_s):
                await activity(self.soak, random.Random(rng.random()))
        except Exception as error:
            self.soak.fault(f"{name}: {type(error).__name__}: {_in_one_line(error)}")
        self.soak.done[name] += 1

    async def _checkpoint(self, compare: Callable[[Holdings], Iterable[str]]) -> Holdings:
        """Rest and compare; the far sides of connections may take some turns of the loop to be gone."""
        self.checkpoints += 1
        self._feed_the_watchdog()
        patient_until = time.monotonic() + self.job.patience_s
        while True:
            self.rest = await holdings.rest(self.waits)
            now = holdings.take_stock(self.soak)
            found = [*self.rest.too_much(), *compare(now)]
            if not found or time.monotonic() > patient_until:
                for difference in found:
                    self.soak.fault(difference)
                self.memory_kib.append(now.memory_kib)
                return now

    def report(self) -> dict[str, Any]:
        """What was found, as plain data."""
        before, after = self.before, self.after
        return {
            "faults": self.soak.faults,
            "checkpoints": self.checkpoints,
            "activities": sum(self.soak.done.values()),
            "by_name": dict(self.soak.done),
            "messages": self.soak.messages,
            "descriptors": [before.descriptors, after.descriptors],
            "threads": [before.threads, after.threads],
            "memory_kib": self.memory_kib,
            "idle": [self.rest.cpu_ms, self.rest.waits],
        }


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def main() -> None:
    """Soak, and print the report."""
    faulthandler.enable()
    job = Job(**json.loads(sys.argv[1]))
    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
    run = Run(job)
    run.go()
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(run.report()), flush=True)
    # What a broken loop left running must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
