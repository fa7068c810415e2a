"""What the small things cost a loop: callbacks, timers, tasks, threads, readiness.

Each workload does its operation many times; the figures are per operation. CPU is that of the whole
process: a loop's threads count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from . import contestants
from .benchmark import Answer, Benchmark, Measure, Measured, Request, Table
from .comparison import comparison_records, comparison_tables, overview
from .workloads import WORKLOADS

_OPERATIONS = 20_000
_QUICK_OPERATIONS = 200


@dataclass(frozen=True)
class Micro(Benchmark):
    """The cost of single operations."""

    name: ClassVar[str] = "micro"
    summary: ClassVar[str] = "what callbacks, timers, tasks and wake-ups cost"

    def requests(self) -> list[Request]:
        """One for each workload."""
        count = _QUICK_OPERATIONS if self.quick else _OPERATIONS
        return [{"workload": name, "operations": count} for name in WORKLOADS]

    @contextmanager
    def enter(self, contestant: str) -> Iterator[Measure]:
        """A loop, on which each workload runs to its end."""
        loop = contestants.open_loop(contestant)
        asyncio.set_event_loop(loop)

        def measure(request: Request) -> Answer:
            work = WORKLOADS[request["workload"]](loop, request["operations"])
            cpu = time.process_time_ns()
            done = loop.run_until_complete(work)
            cpu = time.process_time_ns() - cpu
            return {"cpu_us": cpu / done / 1e3}

        try:
            yield measure
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def summarise(self, measured: Sequence[Measured]) -> list[dict[str, Any]]:
        """Medians and spread over the rounds, and the ratio to asyncio on the same backend."""
        return comparison_records(measured, _workload, contestants.asyncio_beside)

    def tables(self, records: Sequence[dict[str, Any]]) -> list[Table]:
        """All workloads at a glance, and each with its spread."""
        return [*overview(records, "loop"), *comparison_tables(records, ["loop"], "to asyncio")]


def _workload(request: Request) -> str:
    name: str = request["workload"]
    return name
