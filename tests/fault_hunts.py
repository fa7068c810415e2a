"""Every planted fault as a subject, and how the tests and ``ci/kill_matrix.py`` set a rule upon it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from faulty_base import Fault
from faulty_loops import LOOP_FAULTS
from faulty_selectors import SELECTOR_FAULTS
from muxloop.conformance.judging import PROFILES, Profile, judge_rule, preflight
from muxloop.conformance.playground import Playground
from muxloop.conformance.rules import Rule
from muxloop.conformance.subjects import parse
from muxloop.conformance.verdict import Verdict

FAULTS: dict[str, Fault[Any]] = {f"faulty_loops:{name}": fault for name, fault in LOOP_FAULTS.items()} | {
    f"selector:faulty_selectors:{name}": fault for name, fault in SELECTOR_FAULTS.items()
}
"""By the name under which a conformance run finds it."""
SEEDS = (1, 2, 3)
"""Some faults need luck, or a moment without load, to show."""


def hunt(profile: str) -> Profile:
    """Programs as in that profile, not shrunk: whether there is a finding matters, not how small it gets."""
    return dataclasses.replace(PROFILES[profile], shrink_s=0.0)


def verdicts_on(subject: str, rule: Rule, profile: str = "default") -> Iterator[Verdict]:
    """The verdicts of one rule in up to three runs, each with a seed of its own."""
    with Playground(subject) as playground:
        for seed in SEEDS:
            stillborn = preflight([rule], playground)
            yield from stillborn or [
                judge_rule(rule, playground, hunt(profile), seed, parse(subject).capabilities)
            ]
