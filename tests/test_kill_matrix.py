"""docs/kill-matrix.md tells of every planted fault, and each is caught by the rule that it breaks."""

from __future__ import annotations

import re

import pytest
from fault_hunts import FAULTS
from faulty_base import Fault
from faulty_endings import ELSEWHERE
from kill_matrix import VARIED, Catch, catches_on, drawn
from muxloop.conformance.rules import all_rules
from pages import text_of

PAGE = "docs/kill-matrix.md"
ANEW = f"judge it: ci/kill_matrix.sh --markdown {PAGE} --resume"
PLANTED = {fault.name: fault for fault in (*FAULTS.values(), *ELSEWHERE.values())}


@pytest.fixture(scope="module")
def catches() -> dict[str, Catch]:
    return catches_on(text_of(PAGE))


def test_the_page_tells_of_every_fault_and_of_no_other(catches: dict[str, Catch]) -> None:
    assert set(catches) == set(PLANTED), ANEW


def test_the_page_is_what_the_tool_draws(catches: dict[str, Catch]) -> None:
    assert text_of(PAGE) == drawn(PLANTED.values(), catches), ANEW


def test_every_fault_is_caught_by_its_rule_with_every_seed(catches: dict[str, Catch]) -> None:
    assert [name for name, catch in catches.items() if not catch.by(PLANTED[name].rule)] == [], ANEW


def test_every_rule_has_a_fault() -> None:
    planted = {fault.rule for fault in PLANTED.values()}
    assert [rule.id for rule in all_rules() if rule.id not in planted] == []


def test_at_least_half_are_caught_by_programs_that_are_made_up(catches: dict[str, Catch]) -> None:
    assert 2 * sum(catch.shapes >= VARIED for catch in catches.values()) >= len(PLANTED)


def fault(name: str, issue: str, rule: str = "ORD-01") -> Fault[object]:
    return Fault(name, issue, "runs | backwards", rule, object)


def test_a_page_remembers_what_was_drawn_on_it() -> None:
    faults = [fault("late", "invented"), fault("lost", "4 libuv 4245", "TMR-01"), fault("new", "invented")]
    caught = {
        "late": Catch("quick", ("ORD-01", "ORD-04"), 75),
        "lost": Catch("2 of 6 runs", (), 63),
    }
    page = drawn(faults, caught)
    assert catches_on(page) == caught
    assert "| `late` | invented | runs \\| backwards | in quick | **ORD-01**, ORD-04 |" in page
    assert "`new`" not in page


def test_the_summary_counts() -> None:
    faults = [fault("late", "invented"), fault("lost", "seen in zloop", "TMR-08"), fault("luck", "invented")]
    caught = {
        "late": Catch("quick", ("ORD-01", "ORD-04"), VARIED),
        "lost": Catch("default", ("TMR-08",), VARIED - 1),
        "luck": Catch("5 of 6 runs", ("ORD-01",), VARIED),
    }
    numbers = re.findall(r"^\| .+ \| (\d+) \|$", drawn(faults, caught), re.MULTILINE)
    assert numbers == ["3", "2", "2", "1", "1", "1", "1"]


def test_bugs_of_the_past_are_told_by_number() -> None:
    faults = [
        fault("one", "13 gh-116342, gh-145703 and 38 gh-127859 class"),
        fault("two", "36 swift-nio 341, 1 libuv joyent-826"),
        fault("three", "26 eventlet 68 and 80, bpo-22087"),
    ]
    page = drawn(faults, {each.name: Catch("quick", ("ORD-01",), 75) for each in faults})
    assert re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", page, re.MULTILINE) == [
        ("1", "libuv joyent-826", "`two` (ORD-01)"),
        ("13", "gh-116342, gh-145703", "`one` (ORD-01)"),
        ("26", "eventlet 68 and 80, bpo-22087", "`three` (ORD-01)"),
        ("36", "swift-nio 341", "`two` (ORD-01)"),
        ("38", "gh-127859 class", "`one` (ORD-01)"),
    ]
