"""docs/judging-your-loop.md: the driver that it shows is judged, and its declaration read, as they stand."""

import re
import sys

import pytest
from muxloop.conformance import declarations, judge
from muxloop.conformance.declarations import deviations_in
from muxloop.conformance.judging import PROFILES
from muxloop.conformance.rules import all_rules
from muxloop.conformance.subjects import NAMED_LOOPS
from pages import blocks_of, text_of

PAGE = "docs/judging-your-loop.md"
(DRIVER,) = [block for block in blocks_of(PAGE) if "Driver" in block]
(DECLARATION,) = re.findall(r"^```toml\n(.*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)


@pytest.fixture
def subject(tmp_path, monkeypatch):
    (tmp_path / "sched_driver.py").write_text(DRIVER)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "sched_driver:SchedLoop"
    sys.modules.pop("sched_driver", None)


def test_the_driver_is_short():
    assert len(DRIVER.splitlines()) < 60


def test_the_driver_is_judged(subject):
    asked = {
        **dict.fromkeys(["ORD-01", "TMR-01", "TMR-02", "HEAP-02", "CAN-01", "THR-01"], "held"),
        **dict.fromkeys(["IO-01", "ORD-10", "ORD-11", "EXC-01", "LIF-04"], "not-offered"),
        "ORD-05": "broken",
    }
    (report,) = judge(subject, rules=list(asked), profile="quick", seed=1).subjects
    assert {verdict.rule: verdict.outcome for verdict in report.results} == asked


def test_a_declared_deviation_fails_no_more(subject, monkeypatch):
    (known,) = deviations_in(DECLARATION.replace("HEAP-07", "ORD-05"), PAGE)
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    (report,) = judge(subject, rules=["ORD-05"], profile="quick", seed=1).subjects
    (verdict,) = report.results
    assert (verdict.outcome, verdict.declared) == ("broken", f"{known.reason} ({known.link})")


def test_who_claims_more_is_judged_by_it(tmp_path, monkeypatch):
    (claiming,) = [block for block in blocks_of(PAGE) if "claims" in block]
    for name, code in (("claiming", claiming), ("modest", claiming.replace("claims", "boasts"))):
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    told = judge("claiming:FairLoop", "modest:FairLoop", rules=["TMR-04"], profile="quick", seed=1)
    assert [report.results[0].outcome for report in told.subjects] == ["broken", "not-offered"]


def test_every_claim_is_told():
    told = re.findall(r"^\| `([a-z-]+)` \| ([A-Z]+-[0-9]+) \|", text_of(PAGE), re.MULTILINE)
    assert sorted(told) == sorted((rule.capability, rule.id) for rule in all_rules() if rule.capability)


def test_the_names_are_those_that_are_known():
    told = re.search(r"Known by name are `(.+?)`, and through drivers(.+?)\n\n", text_of(PAGE), re.DOTALL)
    drivers = re.findall(r"`([a-z]+)`", told[2])
    assert [*told[1].split(), *drivers] == list(NAMED_LOOPS)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_the_programs_of_a_profile_are_as_many_as_told(profile):
    row = re.search(rf"^\| `{profile.name}` \| ([0-9]+) \| ([0-9,]+) \|", text_of(PAGE), re.MULTILINE)
    assert int(row[1]) == profile.examples
    in_all = sum(profile.examples_for(rule) for rule in all_rules() if rule.judges == "loop")
    assert int(row[2].replace(",", "")) == pytest.approx(in_all, rel=0.15)
