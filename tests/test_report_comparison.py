"""A run held against an earlier one: what each report says of what has changed."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from muxloop.cli import main
from muxloop.conformance.report import (
    Comparison,
    compare,
    print_report,
    write_html,
    write_json,
    write_markdown,
)
from muxloop.conformance.verdict import Report, SubjectReport, Verdict
from test_report_samples import HOSTILE, RULES, bad, full_report, sample_report


def held(rule_id: str) -> Verdict:
    return Verdict(rule_id, next(rule.level for rule in RULES if rule.id == rule_id), "held")


def of(*verdicts: Verdict, subject: str = "s", version: str = "1") -> Report:
    return sample_report(SubjectReport(subject, version, None, list(verdicts)))


def compared(earlier: Report, later: Report, *, strict: bool = False) -> Comparison:
    return compare(earlier, later, named="then.json", strict=strict)


UNJUDGED = Verdict("TMR-01", "R", "not-offered", message="no timers")
TURNS = {
    "broken": (held("TMR-01"), bad("s", "TMR-01"), "newly broken"),
    "hung": (held("TMR-01"), bad("s", "TMR-01", "hung"), "newly broken"),
    "found": (UNJUDGED, bad("s", "TMR-01"), "broken, not judged before"),
    "found by a new rule": (None, bad("s", "TMR-01"), "broken, not judged before"),
    "mended": (bad("s", "TMR-01", "crashed"), held("TMR-01"), "mended"),
    "worse": (bad("s", "TMR-01"), bad("s", "TMR-01", "hung"), "broken in another way"),
    "no longer declared": (
        bad("s", "TMR-01", declared="known"),
        bad("s", "TMR-01"),
        "broken in another way",
    ),
    "lost": (bad("s", "TMR-01"), UNJUDGED, "was broken, no longer judged"),
    "lost with its rule": (bad("s", "TMR-01"), None, "was broken, no longer judged"),
    "unjudged": (held("TMR-01"), UNJUDGED, "held, no longer judged"),
    "held": (held("TMR-01"), held("TMR-01"), None),
    "still broken": (bad("s", "TMR-01"), bad("s", "TMR-01", message="otherwise"), None),
    "a new rule that holds": (None, held("TMR-01"), None),
    "a gone rule that held": (held("TMR-01"), None, None),
    "offered now": (UNJUDGED, held("TMR-01"), None),
    "never offered": (UNJUDGED, UNJUDGED, None),
}


@pytest.mark.parametrize(("was", "now", "turn"), TURNS.values(), ids=TURNS)
def test_how_a_verdict_has_turned(was: Verdict | None, now: Verdict | None, turn: str | None) -> None:
    reports = [of(held("ORD-01"), *([verdict] if verdict else [])) for verdict in (was, now)]
    found = compared(*reports).changes
    assert [(c.subject, c.rule, str(c.turn)) for c in found] == ([("s", "TMR-01", turn)] if turn else [])


def test_what_broke_comes_first() -> None:
    earlier = of(bad("s", "ORD-01"), held("TMR-01"))
    later = of(held("ORD-01"), bad("s", "TMR-01"))
    assert [str(c.turn) for c in compared(earlier, later).changes] == ["newly broken", "mended"]


def test_a_strict_run_weighs_both_alike() -> None:
    earlier, later = of(bad("s", "TMR-01", declared="known")), of(bad("s", "TMR-01"))
    assert compared(earlier, later).changes
    assert not compared(earlier, later, strict=True).changes


def test_rules_and_subjects_that_only_one_knows() -> None:
    earlier = sample_report(
        SubjectReport("s", "1", None, [held("ORD-01"), held("ORD-02")]),
        SubjectReport("old", "1", None, [bad("old", "ORD-01")]),
    )
    later = sample_report(
        SubjectReport("s", "2", None, [held("ORD-01"), held("TMR-01")]),
        SubjectReport("new", "1", None, [bad("new", "ORD-01")]),
        rules_version="9",
    )
    found = compared(earlier, later)
    assert (found.new_rules, found.gone_rules) == (["TMR-01"], ["ORD-02"])
    assert (found.new_subjects, found.gone_subjects) == (["new"], ["old"])
    assert found.changes == []
    assert [(fact.name, fact.was, fact.now) for fact in found.facts] == [("rules", "1", "9"), ("s", "1", "2")]
    assert found.sentence == "1 new rule, 1 rule no longer judged, 1 new subject, 1 subject no longer judged"


def test_a_rule_that_asks_something_else_now_is_told() -> None:
    earlier = sample_report(rule_versions={"ORD-01": 1, "ORD-02": 1, "TMR-01": 1})
    later = sample_report(rule_versions={"ORD-01": 1, "ORD-02": 2, "TMR-02": 3})
    (fact,) = compared(earlier, later).facts
    assert (fact.name, fact.was, fact.now) == ("version of ORD-02", "1", "2")


def test_the_same_report_again_has_not_changed() -> None:
    found = compared(full_report(), full_report())
    assert (found.changes, found.facts) == ([], [])
    assert found.sentence == "No verdict has changed"


# --- as it is told -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One comparison in every form."""
    earlier = full_report()
    uvloop = earlier.subjects[2]
    mended = [held(v.rule) if v.rule == "TMR-01" else v for v in uvloop.results]
    broken = [bad("uvloop", "CAN-01") if v.rule == "CAN-01" else v for v in mended]
    later = replace(earlier, seed=8, subjects=[replace(uvloop, results=broken)])
    found = compare(earlier, later, named=HOSTILE)
    folder = tmp_path_factory.mktemp("told")
    stream = io.StringIO()
    print_report(later, RULES, stream, comparison=found)
    write_html(later, RULES, folder / "html", comparison=found)
    write_markdown(later, RULES, folder / "markdown", comparison=found)
    forms = {name: (folder / name).read_text("utf-8") for name in ("html", "markdown")}
    return {"terminal": stream.getvalue(), **forms}


def test_the_terminal_tells_what_has_changed(told: dict[str, str]) -> None:
    assert "1 newly broken, 1 mended, 5 subjects no longer judged" in told["terminal"]
    assert "\n  newly broken: uvloop CAN-01 (then held; now broken, fails)\n" in told["terminal"]
    assert "\n  mended: uvloop TMR-01 (then broken, fails; now held)\n" in told["terminal"]
    assert "\n  seed: then 20261122, now 8\n" in told["terminal"]


def test_markdown_tells_what_has_changed(told: dict[str, str]) -> None:
    assert "| newly broken | uvloop | CAN-01 | held | broken, fails |" in told["markdown"]
    assert "| mended | uvloop | TMR-01 | broken, fails | held |" in told["markdown"]
    assert "\n- Subjects no longer judged: muxloop, asyncio@select, rloop, " in told["markdown"]


def test_html_links_what_broke_and_marks_it(told: dict[str, str]) -> None:
    assert '<b>newly broken</b> <a href="#uvloop-CAN-01">uvloop CAN-01</a>' in told["html"]
    assert "<b>mended</b> uvloop TMR-01 <span>" in told["html"]
    assert told["html"].count('data-turn="newly broken"') == 2  # the square and the card
    assert told["html"].count("<script>") == 1


def test_without_an_earlier_report_nothing_is_said(tmp_path: Path) -> None:
    stream = io.StringIO()
    print_report(full_report(), RULES, stream)
    write_html(full_report(), RULES, tmp_path / "html")
    write_markdown(full_report(), RULES, tmp_path / "markdown")
    for text in (stream.getvalue(), *((tmp_path / n).read_text("utf-8") for n in ("html", "markdown"))):
        assert "Compared with" not in text
        assert "earlier report" not in text


def test_a_run_is_compared_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier, page = tmp_path / "then.json", tmp_path / "now.md"
    write_json(of(bad("muxloop@select", "ORD-01"), subject="muxloop@select"), earlier)
    arguments = [
        "--rules",
        "ORD-01",
        "--profile",
        "quick",
        "--compare",
        str(earlier),
        "--markdown",
        str(page),
    ]
    assert main(["conform", "muxloop@select", *arguments]) == 0
    assert "mended: muxloop@select ORD-01 (then broken, fails; now held)" in capsys.readouterr().out
    assert "| mended | muxloop@select | ORD-01 |" in page.read_text("utf-8")
