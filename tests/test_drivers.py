"""Worlds that are no asyncio loops are judged through their drivers."""

import importlib.util
import sys

import pytest
from muxloop.conformance import judge
from muxloop.conformance.report.standing import Standing, standing_of
from muxloop.conformance.subjects import parse
from muxloop.errors import SubjectError


def needs(package, subject=None):
    missing = importlib.util.find_spec(package) is None
    return pytest.param(subject or package, marks=pytest.mark.skipif(missing, reason=f"needs {package}"))


WORLDS = [
    needs("tornado"),
    needs("twisted", "twisted@select"),
    needs("twisted", "twisted@asyncio"),
    needs("gevent"),
    needs("trio"),
]
BASIC = ["ORD-01", "TMR-10", "IO-01", "THR-01"]


@pytest.mark.parametrize("subject", WORLDS)
def test_a_world_holds_what_every_loop_holds(subject):
    (report,) = judge(subject, rules=BASIC, profile="quick", seed=1).subjects
    outcomes = {verdict.rule: verdict.outcome for verdict in report.results}
    assert outcomes == dict.fromkeys(outcomes, "held")
    assert sorted(outcomes) == sorted(BASIC)
    assert report.version != "unknown"


@pytest.mark.parametrize("subject", WORLDS)
def test_what_a_world_never_promised_is_not_offered_and_says_why(subject):
    (report,) = judge(subject, rules=["EXC-01", "ORD-10"], profile="quick", seed=1).subjects
    never, lacking = report.results[1], report.results[0]
    assert (never.rule, never.outcome) == ("EXC-01", "not-offered")
    assert "world's own log" in never.message
    assert lacking.outcome == "not-offered"
    assert standing_of(never, strict=True) is not Standing.FAILS


@pytest.mark.parametrize("subject", [needs("twisted", "twisted@select")])
def test_a_script_builds_what_was_judged(subject):
    (report,) = judge(subject, rules=["EXC-03"], profile="quick", seed=1).subjects
    (verdict,) = report.results
    assert verdict.outcome == "broken"  # the reactor logs KeyboardInterrupt and goes on
    assert 'muxloop.conformance.drivers.twisted.TwistedLoop("select")' in verdict.witness.python
    assert verdict.reproduce.startswith("muxloop conform twisted@select ")


def test_a_multiplexer_that_a_world_does_not_have_is_refused():
    with pytest.raises(
        SubjectError, match=r"twisted@uring: twisted has epoll, kqueue, poll, select, asyncio$"
    ):
        parse("twisted@uring")
    with pytest.raises(SubjectError, match="gevent brings its own multiplexer"):
        parse("gevent@poll")


@pytest.mark.parametrize(
    ("subject", "package"),
    [
        *(("tornado", "tornado"), ("twisted", "twisted"), ("gevent", "gevent"), ("trio", "trio")),
        *(("qasync", "PySide6"), ("asyncio-gevent", "asyncio_gevent"), ("trio-asyncio", "trio_asyncio")),
    ],
)
def test_a_world_that_is_not_installed_names_what_gets_it(subject, package, monkeypatch):
    for module in list(sys.modules):
        if module.startswith("muxloop.conformance.drivers.") or module.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SubjectError, match=f"is not installed; get it with: pip install .*{subject}"):
        parse(subject).build()


@pytest.mark.parametrize(
    "subject",
    [
        needs("PySide6", "qasync"),
        needs("asyncio_gevent", "asyncio-gevent"),
        needs("trio_asyncio", "trio-asyncio"),
    ],
)
def test_a_loop_with_something_around_it_is_judged(subject):
    (report,) = judge(subject, rules=["ORD-01", "THR-01"], profile="quick", seed=1).subjects
    assert [verdict.outcome for verdict in report.results] == ["held", "held"]
    assert report.version != "unknown"
