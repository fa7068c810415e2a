"""What a loop breaks because CPython's own does: many loops are built on it, and change a part of it.

Such a subject owes no reason for what is declared of asyncio. But the same rule may be broken by a fault of
its own: so a finding is inherited only when asyncio breaks the rule by the same program, in the same way.
"""

from __future__ import annotations

import re

from .declarations import reasons_for
from .playground import Playground
from .program import Program, as_tuples
from .rules import Finding, Rule
from .subjects import Subject
from .verdict import Verdict

_PLAYS = 3
"""What shows only now and then gets so many chances on asyncio."""


class Heritage:
    """CPython's own loop, beside a subject that is built on it."""

    def __init__(self, subject: Subject, widened: float) -> None:
        self.spec = f"asyncio@{subject.backend}" if subject.backend else "asyncio"
        self._playground = Playground(self.spec, widened)

    def close(self) -> None:
        """End the playing process; the next question starts a new one."""
        self._playground.stop()

    def reason(self, rule: Rule) -> str | None:
        """Why a rule that asyncio is declared to break is broken; None when it is not declared."""
        known = reasons_for(self.spec, rule.id)
        return known and f"inherited: {self.spec} breaks it by the same program: {known}"

    def left_by(self, rule: Rule, verdict: Verdict) -> bool:
        """Whether asyncio breaks the rule by the program of a bad verdict, and in the same way."""
        witness = verdict.witness
        if witness is None:
            return False
        finding = Finding(witness.expected, witness.seen)
        return self.explains(rule, as_tuples(witness.program), verdict.outcome, finding)

    def explains(self, rule: Rule, program: Program, outcome: str, finding: Finding) -> bool:
        """Whether asyncio breaks the rule by that program too, with that outcome and finding.

        A timed rule must be broken each time, as it must on the subject.
        """
        again = (self._shows(rule, program, outcome, finding) for _ in range(_PLAYS))
        return all(again) if rule.timed else any(again)

    def _shows(self, rule: Rule, program: Program, outcome: str, finding: Finding) -> bool:
        history = self._playground.play(program)
        if history.outcome != "completed":
            return history.outcome == outcome
        its = next(rule.check(history), None)
        return outcome == "broken" and its is not None and _kind(its) == _kind(finding)


def _kind(finding: Finding) -> str:
    """A finding without its numbers: sizes and times differ from play to play."""
    return re.sub(r"[0-9.]+", "0", f"{finding.expected}; {finding.seen}")
