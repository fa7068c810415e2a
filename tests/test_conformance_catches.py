"""Planted faults are caught by the rules that name them, and no sound subject is blamed.

One fault for each rule: all of them take half an hour, and are played by ``ci/kill_matrix.sh``. Two sound
loops: ``ci/steadiness.sh`` judges the others, again and again.
"""

import pytest
from fault_hunts import FAULTS, verdicts_on
from faulty_loops import KILLERS, LOOP_FAULTS
from muxloop.conformance import judge
from muxloop.conformance.rules import all_rules
from muxloop.conformance.suite import succeeded
from muxloop.selectors_impl.uring import UringSelector
from selectors_under_test import CLASSES

RULES = {rule.id: rule for rule in all_rules()}


def first_bad_verdict(subject, rule_id):
    """The first bad verdict of up to three runs; the last one when none is bad."""
    for verdict in verdicts_on(subject, RULES[rule_id]):
        if verdict.bad:
            break
    return verdict


FIRST = {
    (fault.rule, fault.programs_of): subject
    for subject, fault in reversed(FAULTS.items())
    if fault.name not in KILLERS
}
"""Of each rule the fault that was planted first, by programs of its own or of another rule."""


@pytest.mark.parametrize("subject", FIRST.values())
def test_a_planted_fault_is_caught_by_the_rule_that_names_it(subject):
    fault = FAULTS[subject]
    verdict = first_bad_verdict(subject, fault.rule)
    assert verdict.bad, f"{fault.rule} held: {fault.symptom}"
    assert verdict.rule == fault.rule
    assert verdict.witness is not None
    assert verdict.reproduce is not None
    assert verdict.reproduce.startswith("muxloop conform ")


@pytest.mark.parametrize("name", KILLERS)
def test_a_killer_gets_a_verdict_of_its_own_kind(name):
    verdict = first_bad_verdict(f"faulty_loops:{name}", "ORD-01")
    assert verdict.outcome == LOOP_FAULTS[name].outcome


SOUND = [
    *("asyncio", "muxloop@epoll"),
    *("selector:epoll", "selector:poll", "selector:select"),
    *(
        "selector:selectors:EpollSelector",
        "selector:selectors:PollSelector",
        "selector:selectors:SelectSelector",
    ),
    *(
        pytest.param(f"selector:{name}", marks=pytest.mark.skipif(reason is not None, reason=str(reason)))
        for name, reason in (
            ("uring", UringSelector.probe()),
            (
                "selectors_under_test:EmulatedKqueueSelector",
                None if "kqueue-emulated" in CLASSES else "the emulation is built on epoll",
            ),
        )
    ),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("subject", SOUND)
def test_no_sound_subject_is_blamed(subject):
    report = judge(subject, profile="quick", seed=1)
    blamed = [(v.rule, v.message) for v in report.subjects[0].results if v.bad and v.declared is None]
    assert blamed == []
    assert succeeded(report), report.stale_declarations
