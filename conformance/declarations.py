"""Declared deviations: what is known of a subject, with the reason; a TOML file per subject in ``declared/``.

    [[deviation]]
    rule = "IO-06"
    subjects = ["asyncio", "asyncio@epoll"]
    reason = "why it is so, and where to read about it"
    python = [">=3.12,<3.12.10", ">=3.13,<3.13.3"]   # optional: only there
    platform = ["win32"]   # optional: only there, as sys.platform has it

A declaration is strict: one whose rule holds has gone away and fails the run, so that the list stays true.
"""

from __future__ import annotations

import platform
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from packaging.specifiers import SpecifierSet

from .verdict import SubjectReport


@dataclass(frozen=True)
class Deviation:
    """One rule that one or more subjects are known to break."""

    rule: str
    subjects: tuple[str, ...]
    reason: str


@cache
def declared() -> tuple[Deviation, ...]:
    """All declarations shipped, that apply to this Python and platform."""
    found = []
    for file in sorted(resources.files(__package__).joinpath("declared").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("deviation", []):
            if _applies(entry):
                found.append(Deviation(entry["rule"], tuple(entry["subjects"]), entry["reason"]))
    return tuple(found)


def _applies(entry: dict[str, list[str]]) -> bool:
    """Whether an entry is about the Python and the platform that this runs on."""
    versions = entry.get("python", [""])
    return sys.platform in entry.get("platform", [sys.platform]) and any(
        platform.python_version() in SpecifierSet(those) for those in versions
    )


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
