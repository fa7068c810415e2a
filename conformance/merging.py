"""One report from those of the shards of a run.

Shards fit together when they come from one and the same run: the same rules version, subjects, rules,
profile, seed and software, each shard exactly once. Where the machines differed (kernel, speed), the report
names all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import UsageError
from .declarations import gone_away_in_words
from .report import read_json
from .rules import RULES_VERSION
from .sharding import Shard, shard_in
from .suite import in_order
from .verdict import Report, SubjectReport

_SOFTWARE = ("python", "platform", "muxloop", "hypothesis")
"""What of the environment must be the same: programs and verdicts depend on it."""


@dataclass(frozen=True)
class _Part:
    """The report of one shard, and the file that it came from."""

    path: str
    report: Report
    shard: Shard


def merged(paths: Sequence[str]) -> Report:
    """The report of the whole run; UsageError, in one line, for files that are not its shards."""
    parts = [_part(path) for path in paths]
    for part in parts[1:]:
        _check_fit(parts[0], part)
    _check_complete(parts)
    parts.sort(key=lambda part: part.shard.number)
    first = parts[0].report
    subjects = [_subject(place, parts) for place in range(len(first.subjects))]
    return replace(
        first,
        shard=None,
        environment=_environment([part.report for part in parts]),
        subjects=subjects,
        stale_declarations=_gone_away(parts, subjects),
        duration_s=max(part.report.duration_s for part in parts),
    )


def _part(path: str) -> _Part:
    report = read_json(path)
    if report.rules_version != RULES_VERSION:
        raise UsageError(
            f"--merge {path}: judged by version {report.rules_version} of the rules, this muxloop has "
            f"{RULES_VERSION}; merge with the muxloop that judged"
        )
    shard = shard_in(report.shard, f"--merge {path}: shard")
    if shard is None:
        raise UsageError(f"--merge {path}: the report of a whole run; only those of --shard can be merged")
    return _Part(path, report, shard)


def _check_fit(first: _Part, other: _Part) -> None:
    """UsageError when the two are not parts of one run."""
    for what, mine in _identity(first.report).items():
        its = _identity(other.report)[what]
        if mine != its:
            raise UsageError(
                f"--merge {other.path}: {what} {its}, but {mine} in {first.path}; "
                "only shards of one and the same run can be merged"
            )


def _identity(report: Report) -> dict[str, Any]:
    return {
        "profile": report.profile,
        "seed": report.seed,
        **{name: report.environment.get(name, "unknown") for name in _SOFTWARE},
        "subjects": ", ".join(f"{s.subject} {s.version} {s.backend or ''}".strip() for s in report.subjects),
        "number of shards": (report.shard or "").partition("/")[2],
        "plan": report.plan,
    }


def _check_complete(parts: Sequence[_Part]) -> None:
    """UsageError when a shard is missing or there twice."""
    seen: dict[int, str] = {}
    for part in parts:
        if part.shard.number in seen:
            raise UsageError(
                f"--merge {part.path}: shard {part.shard} again, after {seen[part.shard.number]}; "
                "give each shard once"
            )
        seen[part.shard.number] = part.path
    missing = [str(n) for n in range(1, parts[0].shard.count + 1) if n not in seen]
    if missing:
        named = ", ".join(missing[:10]) + (", …" if len(missing) > 10 else "")
        raise UsageError(f"--merge: of {parts[0].shard.count} shards there is no report of {named}")


def _subject(place: int, parts: Sequence[_Part]) -> SubjectReport:
    """All verdicts of one subject, in the order of the catalogue."""
    results = in_order(verdict for part in parts for verdict in part.report.subjects[place].results)
    return replace(parts[0].report.subjects[place], results=results)


def _gone_away(parts: Sequence[_Part], subjects: Sequence[SubjectReport]) -> list[str]:
    """The declarations that have gone away; not those whose rule another shard saw broken, looking on."""
    broken = {gone_away_in_words(s.subject, v.rule) for s in subjects for v in s.results if v.bad}
    told = [sentence for part in parts for sentence in part.report.stale_declarations]
    return [sentence for sentence in told if sentence not in broken]


def _environment(reports: Sequence[Report]) -> dict[str, str]:
    """What all machines say; where they differ, each different answer once."""
    names = dict.fromkeys(name for report in reports for name in report.environment)
    return {
        name: "; ".join(dict.fromkeys(r.environment[name] for r in reports if name in r.environment))
        for name in names
    }
