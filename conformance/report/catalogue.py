"""The rules as a report sees them: five strings each, looked up by id, in the order of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..verdict import Report, Verdict

GROUP_TITLES = {
    "ORD": "Callback ordering",
    "TMR": "Timers",
    "HEAP": "Timer-heap cleanup",
    "CAN": "Cancellation",
    "IO": "Readiness in the loop",
    "SEL": "Readiness in the selector",
    "THR": "Threads and wake-ups",
    "SIG": "Signals",
    "LIF": "Life cycle",
    "EXC": "Exceptions and debug mode",
    "TRN": "Transports",
    "SRV": "Servers",
    "DGM": "Datagrams",
    "SUB": "Subprocesses",
    "PIP": "Pipes",
    "TLS": "TLS",
    "EXE": "Executors",
    "DNS": "Name resolution",
    "RES": "Resources",
}

LEVELS = {
    "R": "required by the Python documentation",
    "P": "asked for by PEP 3156 only",
    "C": "CPython's own behaviour that programs lean on",
    "own": "asked of muxloop itself, beyond the others",
}


class Rule(Protocol):
    """What a report needs to know of a rule; any object with these five strings will do."""

    @property
    def id(self) -> str:
        """For example ``TMR-01``."""

    @property
    def level(self) -> str:
        """One of ``R``, ``P``, ``C``, ``own``."""

    @property
    def sentence(self) -> str:
        """The rule in one sentence."""

    @property
    def source(self) -> str:
        """Where the rule comes from, for example ``asyncio-eventloop docs; test_events``."""

    @property
    def group(self) -> str:
        """The part of the id before the dash: ``TMR``."""


@dataclass(frozen=True)
class RuleText:
    """A rule spelled out: stands in for a rule that a report names and the catalogue no longer has."""

    id: str
    level: str
    sentence: str
    source: str
    group: str


class Catalogue:
    """The rules by id. A rule that a report names and the catalogue lacks is made up from its id."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, Rule] = {rule.id: rule for rule in rules}
        self._position = {rule_id: n for n, rule_id in enumerate(self._rules)}

    def of(self, verdict: Verdict) -> Rule:
        """The rule a verdict is about."""
        known = self._rules.get(verdict.rule)
        if known is not None:
            return known
        group = verdict.rule.rpartition("-")[0] or verdict.rule
        return RuleText(verdict.rule, verdict.level, "(not in this version's catalogue)", "unknown", group)

    def position(self, rule_id: str) -> tuple[int, str]:
        """A sort key: catalogue order first, unknown rules after it by name."""
        return self._position.get(rule_id, len(self._position)), rule_id

    def judged_in(self, report: Report) -> dict[str, list[Rule]]:
        """The rules that ``report`` has a verdict on, by group, in catalogue order."""
        found = {verdict.rule: self.of(verdict) for subject in report.subjects for verdict in subject.results}
        groups: dict[str, list[Rule]] = {}
        for rule_id in sorted(found, key=self.position):
            groups.setdefault(found[rule_id].group, []).append(found[rule_id])
        return groups
