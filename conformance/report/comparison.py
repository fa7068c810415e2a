"""What has changed since an earlier report: broken, mended, and what only one of the two knows. No output.

A verdict on the same rule and subject is held against the earlier one. A rule or subject that only one of
the reports knows is told as such and never as mended or newly broken: nobody judged it then, or now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..verdict import Report, SubjectReport, Verdict
from .standing import NOTHING, Standing, counted, standing_of


class Turn(StrEnum):
    """How a verdict has changed, what matters most first."""

    BROKEN = "newly broken"
    FOUND = "broken, not judged before"
    OTHER = "broken in another way"
    LOST = "was broken, no longer judged"
    UNJUDGED = "held, no longer judged"
    MENDED = "mended"


@dataclass(frozen=True)
class Change:
    """One rule on one subject, of which the two reports say different things."""

    subject: str
    rule: str
    turn: Turn
    was: str
    """The earlier state in words: ``held``, ``broken, fails``, ``not judged``."""
    now: str


@dataclass(frozen=True)
class Fact:
    """One circumstance that differs, and may be why the verdicts do."""

    name: str
    was: str
    now: str


@dataclass(frozen=True)
class Comparison:
    """All that is different. Rules are told by id, subjects by their name on the command line."""

    earlier: str
    """Where the earlier report was read from."""
    changes: list[Change]
    """Of subjects that both know, the gravest first."""
    new_rules: list[str]
    gone_rules: list[str]
    new_subjects: list[str]
    gone_subjects: list[str]
    facts: list[Fact]

    @property
    def sentence(self) -> str:
        """All of it in one sentence, without its full stop."""
        of_turn = {turn: sum(1 for c in self.changes if c.turn is turn) for turn in Turn}
        parts = [f"{number} {turn}" for turn, number in of_turn.items() if number]
        for number, what in (
            (len(self.new_rules), "new rule"),
            (len(self.gone_rules), "rule no longer judged"),
            (len(self.new_subjects), "new subject"),
            (len(self.gone_subjects), "subject no longer judged"),
        ):
            if number:
                noun, _, rest = what.partition(" no longer")
                parts.append(counted(number, noun) + (f" no longer{rest}" if rest else ""))
        return ", ".join(parts) or "No verdict has changed"


def compare(earlier: Report, later: Report, *, named: str, strict: bool = False) -> Comparison:
    """Hold ``later`` against ``earlier``, which was read from the file called ``named``.

    With ``strict`` every broken rule counts as a failure, in both.
    """
    then = {subject.subject: subject for subject in earlier.subjects}
    now = {subject.subject: subject for subject in later.subjects}
    shared = [name for name in now if name in then]
    changes = [change for name in shared for change in _changes(then[name], now[name], strict)]
    changes.sort(key=lambda change: list(Turn).index(change.turn))
    rules_then, rules_now = _judged(then.values()), _judged(now.values())
    # The rules of a subject that only one report knows go without saying.
    both_then, both_now = _judged(then[name] for name in shared), _judged(now[name] for name in shared)
    return Comparison(
        earlier=named,
        changes=changes,
        new_rules=[rule for rule in both_now if rule not in rules_then],
        gone_rules=[rule for rule in both_then if rule not in rules_now],
        new_subjects=[name for name in now if name not in then],
        gone_subjects=[name for name in then if name not in now],
        facts=_facts(earlier, later, [(then[name], now[name]) for name in shared]),
    )


def _judged(subjects: Iterable[SubjectReport]) -> list[str]:
    return list(dict.fromkeys(verdict.rule for subject in subjects for verdict in subject.results))


def _changes(then: SubjectReport, now: SubjectReport, strict: bool) -> list[Change]:
    before = {verdict.rule: verdict for verdict in then.results}
    after = {verdict.rule: verdict for verdict in now.results}
    found = []
    for rule in dict.fromkeys([*after, *before]):
        was, is_now = before.get(rule), after.get(rule)
        turn = _turn(was, is_now, strict)
        if turn is not None:
            found.append(
                Change(now.subject, rule, turn, state_of(was, strict=strict), state_of(is_now, strict=strict))
            )
    return found


def _turn(was: Verdict | None, now: Verdict | None, strict: bool) -> Turn | None:
    """How one verdict became the other; None when nothing is worth a line of its own."""
    if now is not None and now.bad:
        if was is None or standing_of(was) is Standing.UNJUDGED:
            return Turn.FOUND
        if not was.bad:
            return Turn.BROKEN
        return Turn.OTHER if state_of(was, strict=strict) != state_of(now, strict=strict) else None
    judged = now is not None and now.outcome == "held"
    if was is not None and was.bad:
        return Turn.MENDED if judged else Turn.LOST
    held = was is not None and was.outcome == "held"
    return Turn.UNJUDGED if held and now is not None and not judged else None


def state_of(verdict: Verdict | None, *, strict: bool = False) -> str:
    """A verdict in a word or two."""
    if verdict is None:
        return "not judged"
    return f"{verdict.outcome}, {standing_of(verdict, strict=strict)}" if verdict.bad else verdict.outcome


def _facts(earlier: Report, later: Report, subjects: list[tuple[SubjectReport, SubjectReport]]) -> list[Fact]:
    """What was different about the run itself; when it took place always is, and is told."""
    pairs = [
        ("rules", earlier.rules_version, later.rules_version),
        ("profile", earlier.profile, later.profile),
        ("seed", str(earlier.seed), str(later.seed)),
        *(
            (f"version of {rule}", str(earlier.rule_versions[rule]), str(version))
            for rule, version in later.rule_versions.items()
            if rule in earlier.rule_versions
        ),
        *((f"{now.subject}", then.version, now.version) for then, now in subjects),
        *(
            (name, earlier.environment.get(name, NOTHING), later.environment.get(name, NOTHING))
            for name in dict.fromkeys([*later.environment, *earlier.environment])
        ),
    ]
    return [Fact(name, was, now) for name, was, now in pairs if was != now]
