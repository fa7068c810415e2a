"""Declared deviations: what is known of a subject, with the reason; a TOML file per subject in ``declared/``.

    [[deviation]]
    rule = "IO-06"
    subjects = ["asyncio", "asyncio@epoll"]
    reason = "why it is so, and where to read about it"
    python = [">=3.12,<3.12.10", ">=3.13,<3.13.3"]   # optional: only there
    platform = ["win32"]   # optional: only there, as sys.platform has it

A subject may be a glob: "*" for what the standard library does on whatever loop there is.

A declaration is strict: one whose rule holds has gone away and fails the run, so that the list stays true.
Globs are not: a loop may have tasks of its own.
"""

from __future__ import annotations

import platform
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
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
    return next((d.reason for d in _about(subject, rule)), None)


def _about(subject: str, rule: str) -> Iterator[Deviation]:
    for deviation in declared():
        fits = any(fnmatchcase(subject, pattern) for pattern in deviation.subjects)
        if deviation.rule == rule and fits:
            yield deviation


def gone_away(reports: Sequence[SubjectReport]) -> list[str]:
    """Declarations whose rule was judged and held, a sentence each."""
    return [
        f"{report.subject} is declared to break {verdict.rule} and keeps it: take the declaration back"
        for report in reports
        for verdict in report.results
        if verdict.outcome == "held"
        and any(report.subject in deviation.subjects for deviation in _about(report.subject, verdict.rule))
    ]
