"""Is it right: a property-based conformance suite for asyncio event loops and selectors.

As a function, without pytest::

    from muxloop.conformance import judge

    report = judge("mypackage:new_event_loop", profile="quick")
    for verdict in report.subjects[0].results:
        print(verdict.rule, verdict.outcome, verdict.message)

As tests of one's own::

    import pytest
    from muxloop.conformance import check, rule_ids

    @pytest.mark.parametrize("rule", rule_ids())
    def test_my_loop(rule):
        check("mypackage:new_event_loop", rule)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .verdict import Report

__all__ = ["RuleBrokenError", "check", "judge", "rule_ids"]


class RuleBrokenError(AssertionError):
    """A subject breaks a rule; the message holds the rule, the smallest program and what replays it."""


def judge(
    *subjects: str, rules: Sequence[str] = (), profile: str = "default", seed: int | None = None
) -> Report:
    """Judge the subjects by the rules that fit one of the globs (all without any), and none after a "!".

    A subject is named as on the command line: ``NAME[@BACKEND]``, ``MODULE:FACTORY[@BACKEND]``,
    ``selector:NAME`` or ``selector:MODULE:CLASS``. Its programs are played in processes of their own,
    so the factory must be importable. Raises SubjectError when a subject cannot be built, UsageError for a
    glob, profile or seed that means nothing.
    """
    from .suite import Plan, run

    return run(Plan.of(subjects, rules, profile, seed))


def rule_ids(kind: str = "loop", *, required_only: bool = False) -> list[str]:
    """Ids of the rules that judge a "loop" or a "selector"; only those of level R if asked."""
    from .rules import all_rules

    return [
        rule.id for rule in all_rules() if rule.judges == kind and (rule.level == "R" or not required_only)
    ]


def check(
    subject: str, rule: str, *, profile: str = "default", seed: int | None = None, strict: bool = True
) -> None:
    """Judge one subject by one rule; RuleBrokenError when it is broken and not declared.

    With ``strict=False`` only rules of level R count.
    """
    from .report.printed import verdict_in_words
    from .report.standing import Standing, standing_of

    report = judge(subject, rules=[rule], profile=profile, seed=seed)
    for verdict in report.subjects[0].results:
        if standing_of(verdict, strict=strict and verdict.declared is None) is Standing.FAILS:
            raise RuleBrokenError(verdict_in_words(subject, verdict))
