"""Every planted fault as a subject, and how the tests and ``ci/kill_matrix.py`` set a rule upon it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from faulty_base import Fault
from faulty_loops import LOOP_FAULTS
from faulty_selectors import SELECTOR_FAULTS
from muxloop.conformance.judging import PROFILES, Profile
from muxloop.conformance.rules import Rule, all_rules
from muxloop.conformance.subjects import parse
from muxloop.conformance.suite import Bench
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
    """The verdicts of one rule in up to three runs, each with a seed of its own.

    They come of the rule's own programs, or of those whose rule the fault names.
    """
    fault = FAULTS.get(subject)
    programs_of = fault.programs_of if fault is not None and fault.rule == rule.id else ""
    played = next((one for one in all_rules() if one.id == programs_of), rule)
    for seed in SEEDS:
        with Bench(parse(subject), [played], hunt(profile), seed, 1.0, onlookers=[rule]) as bench:
            verdicts = [bench.judge(played), *bench.take_incidental()]
        held = Verdict(rule.id, rule.level, "held")
        yield next((verdict for verdict in verdicts if verdict.rule == rule.id), held)
