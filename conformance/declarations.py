"""Declared deviations: what is known of a subject, with the reason; one TOML file per subject in ``declared/``.

    [[deviation]]
    rule = "IO-06"
    subjects = ["asyncio", "asyncio@epoll"]
    reason = "why it is so, and where to read about it"

A declaration is strict: one whose rule holds has gone away and fails the run, so that the list stays true.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .verdict import SubjectReport


@dataclass(frozen=True)
class Deviation:
    """One rule that one or more subjects are known to break."""

    rule: str
    subjects: tuple[str, ...]
    reason: str
    since_python: tuple[int, ...] = (3, 11)


@cache
def declared() -> tuple[Deviation, ...]:
    """All declarations shipped, that apply to this Python."""
    found = []
    for file in sorted(resources.files(__package__).joinpath("declared").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("deviation", []):
            since = tuple(map(int, str(entry.get("since_python", "3.11")).split(".")))
            found.append(Deviation(entry["rule"], tuple(entry["subjects"]), entry["reason"], since))
    return tuple(deviation for deviation in found if sys.version_info[:2] >= deviation.since_python)


def reason_for(subject: str, rule: str) -> str | None:
    """Why this subject is known to break this rule; None when it is not."""
    return next((d.reason for d in declared() if d.rule == rule and subject in d.subjects), None)


def gone_away(reports: Sequence[SubjectReport]) -> list[str]:
    """Declarations whose rule was judged and held, a sentence each."""
    return [
        f"{report.subject} is declared to break {verdict.rule} and keeps it: take the declaration back"
        for report in reports
        for verdict in report.results
        if verdict.outcome == "held" and reason_for(report.subject, verdict.rule)
    ]
