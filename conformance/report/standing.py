"""What a verdict means for its subject: does it fail, does it deviate, or is all well. Words only, no output.

A broken R rule *fails* its subject. A broken P, C or own rule *deviates*, and so does any broken rule
that is declared with its reason. In a strict run every broken rule fails, declared or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..verdict import Report, SubjectReport, Verdict


class Standing(StrEnum):
    """The five things a verdict can mean, worst first."""

    FAILS = "fails"
    DEVIATES = "deviates"
    DECLARED = "declared"
    HELD = "held"
    UNJUDGED = "unjudged"


NOTHING = "\N{EN DASH}"
"""What stands where there is nothing to tell."""

SEVERITY = {standing: rank for rank, standing in enumerate(Standing)}


def standing_of(verdict: Verdict, *, strict: bool = False) -> Standing:
    """Weigh one verdict; ``strict`` counts every broken rule as a failure."""
    if not verdict.bad:
        return Standing.HELD if verdict.outcome == "held" else Standing.UNJUDGED
    if strict:
        return Standing.FAILS
    if verdict.declared is not None:
        return Standing.DECLARED
    return Standing.FAILS if verdict.level == "R" else Standing.DEVIATES


@dataclass(frozen=True)
class Tally:
    """How many verdicts of each standing."""

    fails: int = 0
    deviates: int = 0
    declared: int = 0
    held: int = 0
    unjudged: int = 0

    @classmethod
    def of(cls, verdicts: Iterable[Verdict], *, strict: bool = False) -> Tally:
        counts = dict.fromkeys(Standing, 0)
        for verdict in verdicts:
            counts[standing_of(verdict, strict=strict)] += 1
        return cls(**{standing.value: count for standing, count in counts.items()})

    @property
    def bad(self) -> int:
        return self.fails + self.deviates + self.declared

    @property
    def judged(self) -> int:
        return self.held + self.bad

    @property
    def worst(self) -> Standing:
        """The standing of the whole: the gravest that occurs at all."""
        return next((s for s in Standing if getattr(self, s.value)), Standing.UNJUDGED)


def counted(number: int, noun: str) -> str:
    """``1 rule``, ``2 rules``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def verb(standing: Standing, number: int) -> str:
    """What that many rules do: ``1 fails``, ``2 fail``, ``2 declared``."""
    if standing is Standing.DECLARED:
        return "declared"
    return standing.value if number == 1 else standing.value.removesuffix("s")


def subject_in_words(subject: SubjectReport, *, strict: bool = False) -> str:
    """One sentence on a subject, with the ids of the rules that fail it."""
    tally = Tally.of(subject.results, strict=strict)
    if not tally.judged:
        return "Nothing was judged."
    if not tally.bad:
        return (
            f"Holds all {counted(tally.judged, 'rule')} judged."
            if tally.judged > 1
            else "Holds the one rule judged."
        )
    parts = []
    if tally.fails:
        failed = [v.rule for v in subject.results if standing_of(v, strict=strict) is Standing.FAILS]
        kind = "rule" if strict else "required rule"
        shown = ", ".join(failed[:6]) + (", …" if len(failed) > 6 else "")
        parts.append(f"breaks {counted(tally.fails, kind)} ({shown})")
    if tally.deviates:
        parts.append(f"deviates on {counted(tally.deviates, 'rule')}")
    if tally.declared:
        parts.append(f"shows {counted(tally.declared, 'declared deviation')}")
    sentence = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"{sentence[0].upper()}{sentence[1:]}; holds {tally.held} of {tally.judged}."


def headline(report: Report, *, strict: bool = False) -> str:
    """The run in one sentence, without its full stop."""
    total = len(report.subjects)
    if total == 0:
        return "No subject was judged"
    tallies = [Tally.of(subject.results, strict=strict) for subject in report.subjects]
    fail = sum(1 for tally in tallies if tally.fails)
    deviate = sum(1 for tally in tallies if tally.bad and not tally.fails)
    clean = sum(1 for tally in tallies if tally.judged and not tally.bad)
    if clean == total:
        return (
            f"{report.subjects[0].subject} holds every rule"
            if total == 1
            else f"All {total} subjects hold every rule"
        )
    if total == 1:
        verb = "fails" if fail else "deviates" if deviate else "was not judged"
        return f"{report.subjects[0].subject} {verb}"
    parts = []
    if fail:
        parts.append(f"{fail} of {counted(total, 'subject')} {'fails' if fail == 1 else 'fail'}")
    if deviate:
        counted_of = "" if fail else f" of {counted(total, 'subject')}"
        parts.append(f"{deviate}{counted_of} {'deviates' if deviate == 1 else 'deviate'}")
    if clean:
        parts.append(f"{clean} {'holds' if clean == 1 else 'hold'} every rule")
    if unjudged := total - fail - deviate - clean:
        parts.append(f"{unjudged} {'was' if unjudged == 1 else 'were'} not judged")
    return ", ".join(parts)
