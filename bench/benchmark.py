"""What every benchmark is made of: contestants, requests, answers and tables."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from . import contestants

Request = dict[str, Any]
Answer = dict[str, Any]
Measure = Callable[[Request], Answer]


@dataclass(frozen=True)
class Measured:
    """What one contestant answered to one request, round by round."""

    contestant: str
    request: Request
    answers: list[Answer]


@dataclass(frozen=True)
class Table:
    """Rows of text under a title."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Benchmark(abc.ABC):
    """One subject of measurement. Its fields are its settings: plain data, sent to every process."""

    name: ClassVar[str]
    summary: ClassVar[str]
    full_rounds: ClassVar[int] = 10
    """How often every request is put to every contestant, where figures shall mean something."""

    quick: bool = False
    """Show that it runs, in seconds; the figures mean little."""

    @property
    def rounds(self) -> int:
        """How often every request is put to every contestant in this run."""
        return 1 if self.quick else self.full_rounds

    def contestants(self) -> list[contestants.Contestant]:
        """All that there could be: the loops, where a benchmark does not say otherwise."""
        return contestants.loops()

    @abc.abstractmethod
    def requests(self) -> list[Request]:
        """What one round asks of each contestant, in order.

        A request is plain data. One with ``"together": True`` is put to all contestants at the same time:
        for what spends its time asleep.
        """

    @abc.abstractmethod
    def enter(self, contestant: str) -> AbstractContextManager[Measure]:
        """In the contestant's own process: set up, give what answers a request, tear down."""

    @abc.abstractmethod
    def summarise(self, measured: Sequence[Measured]) -> list[dict[str, Any]]:
        """One flat record of figures for each contestant and request; units last in the names."""

    @abc.abstractmethod
    def tables(self, records: Sequence[dict[str, Any]]) -> list[Table]:
        """The records for people."""


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, int(share * len(ordered) + 0.999999) - 1))]
