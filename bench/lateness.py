"""How late timers fire on a loop that has nothing else to do.

A callback arms the next timer and notes, when that fires, how much later than asked for it is on
``time.monotonic``. Below zero it is early, which asyncio's documentation rules out
(https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.call_later).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from . import contestants
from .benchmark import Answer, Benchmark, Measure, Measured, Request, Table, quantile

# Delay in seconds, and samples of it in each round.
_DELAYS = {0.0001: 20, 0.0005: 20, 0.001: 20, 0.0025: 20, 0.01: 10, 0.1: 3, 1.0: 1}
_QUICK_DELAYS = {0.0001: 2, 0.01: 1}

# From here on all wait at the same time, or an hour would be spent asleep.
_LONG_S = 0.1


@dataclass(frozen=True)
class Lateness(Benchmark):
    """The distribution of timer lateness at rest."""

    name: ClassVar[str] = "lateness"
    summary: ClassVar[str] = "how late timers fire on a loop at rest"
    full_rounds: ClassVar[int] = 20  # 400 samples of a short delay

    def requests(self) -> list[Request]:
        """One for each delay."""
        delays = _QUICK_DELAYS if self.quick else _DELAYS
        return [
            {"delay_s": delay_s, "samples": samples, "together": delay_s >= _LONG_S}
            for delay_s, samples in delays.items()
        ]

    @contextmanager
    def enter(self, contestant: str) -> Iterator[Measure]:
        """A loop, which runs for as long as a request takes."""
        loop = contestants.open_loop(contestant)

        def measure(request: Request) -> Answer:
            delay_s, left = request["delay_s"], request["samples"]
            late_us: list[float] = []
            armed = 0.0

            def arm() -> None:
                nonlocal armed
                armed = time.monotonic()
                loop.call_later(delay_s, fire)

            def fire() -> None:
                late_us.append((time.monotonic() - armed - delay_s) * 1e6)
                if len(late_us) < left:
                    arm()
                else:
                    loop.stop()

            loop.call_soon(arm)
            loop.run_forever()
            return {"late_us": late_us}

        try:
            yield measure
        finally:
            loop.close()

    def summarise(self, measured: Sequence[Measured]) -> list[dict[str, Any]]:
        """The quantiles of all samples of a delay."""
        records = []
        for each in measured:
            late_us = [late for answer in each.answers for late in answer["late_us"]]
            records.append(
                {
                    "contestant": each.contestant,
                    "delay_ms": each.request["delay_s"] * 1e3,
                    "samples": len(late_us),
                    "early": sum(late < 0 for late in late_us),
                    "min_us": min(late_us),
                    "p50_us": quantile(late_us, 0.5),
                    "p90_us": quantile(late_us, 0.9),
                    "p99_us": quantile(late_us, 0.99),
                    "max_us": max(late_us),
                }
            )
        return records

    def tables(self, records: Sequence[dict[str, Any]]) -> list[Table]:
        """The medians of all delays, who was early how often, and the distribution for each delay."""
        delays_ms = sorted({record["delay_ms"] for record in records})
        loops = dict.fromkeys(record["contestant"] for record in records)
        found = {(record["contestant"], record["delay_ms"]): record for record in records}
        columns = ("loop", *(f"{delay_ms:g} ms" for delay_ms in delays_ms))
        medians = [(name, *(f"{found[name, delay]['p50_us']:.0f}" for delay in delays_ms)) for name in loops]
        early = [
            (name, *("{early} of {samples}".format(**found[name, delay]) for delay in delays_ms))
            for name in loops
        ]
        overview = [
            Table("Late by, in µs: the medians", columns, medians),
            Table("Early", columns, early),
        ]
        return overview + [_distribution(records, delay_ms) for delay_ms in delays_ms]


def _distribution(records: Sequence[dict[str, Any]], delay_ms: float) -> Table:
    figures = ("min", "p50", "p90", "p99", "max")
    rows = [
        (record["contestant"], *(f"{record[f'{figure}_us']:.0f}" for figure in figures))
        for record in records
        if record["delay_ms"] == delay_ms
    ]
    return Table(f"Late by, in µs, for a delay of {delay_ms:g} ms", ("loop", *figures), rows)
