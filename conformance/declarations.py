"""Declared deviations: what is known of a subject, with the reason; a TOML file per subject in ``declared/``.

    [[deviation]]
    rule = "IO-06"
    subjects = ["asyncio", "asyncio@epoll"]
    reason = "why it is so, and where to read about it"
    link = "https://github.com/…"                    # optional: the report, or the page that says so
    versions = [">=0.23,<0.24"]                      # optional: only these of the subject
    python = [">=3.12,<3.12.10", ">=3.13,<3.13.3"]   # optional: only there
    platform = ["win32"]                             # optional: only there, as sys.platform has it
    program = '[["soon","c0",[]],["run"]]'           # optional: what shows it, played first
    seen = "sometimes"                               # optional: it does not show in every run

A subject may be a glob: "*" for what the standard library does on whatever loop there is. Files of one's own
are named by MUXLOOP_DECLARED, as paths are in PATH; the form is the same.

A declaration is strict: one whose rule holds has gone away and fails the run, so that the list stays true.
Globs are not: a loop may have tasks of its own. What shows only now and then needs its program here; what
even that does not bring about each time, a race in the loop, is marked as seen sometimes.
"""

from __future__ import annotations

import os
import platform
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ..errors import UsageError
from .program import Program, parse
from .subjects import parse as parse_subject
from .verdict import SubjectReport
from .vocabulary import LOOP_ACTIONS, SELECTOR_ACTIONS

VARIABLE = "MUXLOOP_DECLARED"
_REQUIRED = {"rule", "subjects", "reason"}
_LISTS = {"subjects", "versions", "python", "platform"}
_MEMBERS = _REQUIRED | _LISTS | {"link", "program", "seen"}


@dataclass(frozen=True)
class Deviation:
    """One rule that one or more subjects are known to break."""

    rule: str
    subjects: tuple[str, ...]
    reason: str
    link: str = ""
    versions: tuple[str, ...] = ()
    """Specifiers of the subject's versions that break it; all of them when there is none."""
    program: Program = ()
    """What shows it; nothing when programs made up show it by themselves."""
    sometimes: bool = False
    """Whether it may stay unseen in a run without having gone away."""

    @property
    def in_words(self) -> str:
        """The reason, and where to read about it."""
        return f"{self.reason} ({self.link})" if self.link else self.reason


@cache
def declared() -> tuple[Deviation, ...]:
    """All declarations shipped, and one's own, that apply to this Python and platform.

    Raises UsageError for a file that cannot be read or is no list of deviations.
    """
    shipped = resources.files(__package__).joinpath("declared").iterdir()
    texts = [(file.name, file.read_text(encoding="utf-8")) for file in shipped if file.name.endswith(".toml")]
    for own in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        try:
            texts.append((own, Path(own).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{VARIABLE}: {own} cannot be read: {error}") from None
    return tuple(deviation for name, text in sorted(texts) for deviation in deviations_in(text, name))


def deviations_in(text: str, name: str) -> list[Deviation]:
    """The deviations of one file that apply to this Python and platform; UsageError names what is wrong."""
    try:
        entries = tomllib.loads(text).get("deviation", [])
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: not TOML: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{name}: deviations are tables under [[deviation]]")
    found = []
    for number, entry in enumerate(entries, 1):
        where = f"{name}: deviation {number}"
        _check(entry, where)
        if _applies(entry, where):
            found.append(_deviation(entry, where))
    return found


def _check(entry: dict[str, Any], where: str) -> None:
    missing, unknown = _REQUIRED - entry.keys(), entry.keys() - _MEMBERS
    if missing or unknown:
        what = f"lacks {', '.join(sorted(missing))}" if missing else f"has {', '.join(sorted(unknown))}"
        raise UsageError(f"{where} {what}; the members are {', '.join(sorted(_MEMBERS))}")
    for member, value in entry.items():
        values = value if isinstance(value, list) else [value]
        if isinstance(value, list) != (member in _LISTS) or not all(isinstance(v, str) and v for v in values):
            raise UsageError(
                f"{where}: {member} is {'a list of strings' if member in _LISTS else 'a string'}"
            )
    if entry.get("seen", "sometimes") != "sometimes":
        raise UsageError(f"{where}: seen is {entry['seen']!r:.60}; 'sometimes' is all that it may be")
    if not entry.get("link", "https://").startswith(("https://", "http://")):
        raise UsageError(f"{where}: link is {entry['link']!r:.60}, which is no address of a page")


def _applies(entry: dict[str, Any], where: str) -> bool:
    """Whether an entry is about the Python and the platform that this runs on."""
    python = [_specifier(those, where) for those in entry.get("python", [""])]
    return sys.platform in entry.get("platform", [sys.platform]) and any(
        platform.python_version() in those for those in python
    )


def _deviation(entry: dict[str, Any], where: str) -> Deviation:
    for versions in entry.get("versions", []):
        _specifier(versions, where)
    program: Program = ()
    if "program" in entry:
        vocabulary = SELECTOR_ACTIONS if entry["rule"].startswith("SEL-") else LOOP_ACTIONS
        try:
            program = parse(entry["program"], vocabulary)
        except UsageError as error:
            raise UsageError(f"{where}: {str(error).removeprefix('--')}") from None
    return Deviation(
        entry["rule"],
        tuple(entry["subjects"]),
        entry["reason"],
        entry.get("link", ""),
        tuple(entry.get("versions", [])),
        program,
        "seen" in entry,
    )


def _specifier(text: str, where: str) -> SpecifierSet:
    try:
        return SpecifierSet(text, prereleases=True)
    except InvalidSpecifier:
        raise UsageError(f"{where}: {text!r} are no versions; give them as in '>=0.23,<0.24'") from None


def reason_for(subject: str, rule: str) -> str | None:
    """Why this subject is known to break this rule, and where to read about it; None when it is not."""
    deviation = next(about(subject, rule), None)
    if deviation is None:
        return None
    whose = "for every loop on this Python: " if "*" in deviation.subjects else ""
    return whose + deviation.in_words


def reasons_for(subject: str, rule: str) -> str | None:
    """All that is declared of that subject and rule, where it is not known which of it was met."""
    return "; or ".join(deviation.in_words for deviation in about(subject, rule)) or None


def about(subject: str, rule: str) -> Iterator[Deviation]:
    """What is declared of that rule for the installed version of the subject."""
    for deviation in declared():
        fits = any(fnmatchcase(subject, pattern) for pattern in deviation.subjects)
        if deviation.rule == rule and fits and _is_of(subject, deviation.versions):
            yield deviation


def _is_of(subject: str, versions: Sequence[str]) -> bool:
    if not versions:
        return True
    try:
        version = Version(parse_subject(subject).version.removeprefix("Python "))
    except InvalidVersion:
        return False  # who does not say which version it is, of that nothing is known
    return any(SpecifierSet(those, prereleases=True).contains(version) for those in versions)


def gone_away(reports: Sequence[SubjectReport]) -> list[str]:
    """Declarations whose rule was judged and held, a sentence each."""
    return [
        gone_away_in_words(report.subject, verdict.rule)
        for report in reports
        for verdict in report.results
        if verdict.outcome == "held"
        and any(
            report.subject in deviation.subjects and not deviation.sometimes
            for deviation in about(report.subject, verdict.rule)
        )
    ]


def gone_away_in_words(subject: str, rule: str) -> str:
    """What is said of a declaration that is not true any more."""
    return f"{subject} is declared to break {rule} and keeps it: take the declaration back"
