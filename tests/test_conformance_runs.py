"""A whole run: its exit code, its reports, and how a finding is seen again."""

import json
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET

import hypothesis
import pytest
from muxloop.cli import main
from muxloop.conformance import RuleBrokenError, check, declarations, judge
from muxloop.conformance.declarations import Deviation
from muxloop.conformance.rules import PLATFORM_FEATURES
from muxloop.conformance.verdict import Report


def conform(*arguments):
    return main(["conform", "--profile", "quick", "--seed", "7", *arguments])


@pytest.fixture
def report(tmp_path):
    """Run with these arguments and read the report; gives the exit code, too."""

    def run(*arguments):
        path = tmp_path / "report.json"
        code = conform(*arguments, "--json", str(path))
        return code, Report.from_json(json.loads(path.read_text()))

    return run


FAULTY = {"CAN-01": "faulty_loops:cancelled_in_batch_runs", "ORD-04": "faulty_loops:threadsafe_jumps_queue"}
"""Of each rule a planted fault that it catches with nearly every seed, but not with each: name one."""


def test_a_sound_subject_exits_with_0(capsys):
    assert conform("muxloop@select", "--rules", "ORD-01,TMR-02") == 0
    assert "holds every rule" in capsys.readouterr().out


@pytest.mark.parametrize(("rule", "plain", "strict"), [("CAN-01", 1, 1), ("ORD-04", 0, 1)])
def test_only_a_broken_r_rule_fails_but_any_when_strict(rule, plain, strict):
    subject = FAULTY[rule]
    assert conform(subject, "--rules", rule) == plain
    assert conform(subject, "--rules", rule, "--strict") == strict


def test_a_bug_of_the_suite_exits_with_3(capsys, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("muxloop.conformance.suite.run", fail)
    assert conform("muxloop@select", "--rules", "ORD-01") == 3
    told = capsys.readouterr().err
    assert "ZeroDivisionError: a bug" in told
    assert told.endswith("the suite itself failed; this is a bug of muxloop's, please report it\n")


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_all_reports_tell_of_the_same_run(tmp_path, capsys, spread):
    subject = FAULTY["CAN-01"]
    paths = {kind: tmp_path / f"report.{kind}" for kind in ("json", "html", "junit")}
    files = [part for kind, path in paths.items() for part in (f"--{kind}", str(path))]
    assert conform(subject, "--rules", "ORD-01,CAN-01", *files, *spread) == 1
    printed = capsys.readouterr().out
    document = json.loads(paths["json"].read_text())
    assert (document["schema"], document["seed"], document["profile"]) == (1, 7, "quick")
    assert document["environment"].keys() >= {"python", "platform", "kernel", "muxloop", "hypothesis"}
    held, broken = document["subjects"][0]["results"]
    assert (held["rule"], held["outcome"], held["witness"]) == ("ORD-01", "held", None)
    assert (broken["rule"], broken["level"], broken["outcome"]) == ("CAN-01", "R", "broken")
    assert broken["reproduce"] in printed
    assert broken["witness"]["seen"] in printed
    html = paths["html"].read_text()
    assert "CAN-01" in html
    assert subject in html
    suites = ET.parse(paths["junit"]).getroot()
    assert len(list(suites.iter("testcase"))) == 2
    assert len(list(suites.iter("failure"))) == 1


def test_the_command_of_a_finding_shows_it_again(report, capsys):
    code, first = report(FAULTY["CAN-01"], "--rules", "CAN-01")
    assert code == 1
    (shown,) = first.subjects[0].results
    program, *arguments = shlex.split(shown.reproduce)
    assert program == "muxloop"
    assert main(arguments) == 1
    assert shown.witness.seen in capsys.readouterr().out
    code, again = report(*arguments[1:])
    (seen,) = again.subjects[0].results
    assert code == 1
    assert (seen.outcome, seen.message, seen.reproduce) == (shown.outcome, shown.message, shown.reproduce)
    assert (seen.witness.program, seen.witness.python) == (shown.witness.program, shown.witness.python)


def test_a_program_that_breaks_nothing_holds(report):
    code, played = report("muxloop@select", "--rules", "ORD-01", "--program", '[["soon","c",[]],["run"]]')
    assert (code, played.subjects[0].results[0].outcome) == (0, "held")


def told_of(subject_report):
    return [(v.rule, v.outcome, v.message, v.reproduce, v.examples) for v in subject_report.results]


def test_one_seed_makes_up_the_same_programs(report):
    found = []
    for _ in range(2):
        _, played = report(FAULTY["CAN-01"], "--rules", "CAN-01,ORD-01")
        found.append(told_of(played.subjects[0]))
    assert found[0] == found[1]


def test_subjects_judged_by_one_rule_share_its_programs(monkeypatch, report):
    _, alone = report(FAULTY["CAN-01"], "--rules", "CAN-01")
    writers = []
    given = hypothesis.given
    monkeypatch.setattr(hypothesis, "given", lambda *made: writers.append(made) or given(*made))
    subjects = ["muxloop@select", "asyncio@select", FAULTY["CAN-01"]]
    _, together = report(*subjects, "--rules", "CAN-01")
    first, second, third = together.subjects
    assert told_of(second) == told_of(first)
    assert told_of(third) == told_of(alone.subjects[0])
    assert len(writers) == 2  # once to write for all three, once to shrink for the one that breaks it


def test_a_declared_deviation_does_not_fail_and_one_that_has_gone_away_does(monkeypatch, report, capsys):
    subject = FAULTY["CAN-01"]
    known = (Deviation("CAN-01", (subject,), "known since long"), Deviation("ORD-01", (subject,), "mended"))
    monkeypatch.setattr(declarations, "declared", lambda: known[:1])
    code, played = report(subject, "--rules", "CAN-01,ORD-01")
    assert code == 0
    assert [v.declared for v in played.subjects[0].results] == [None, "known since long"]
    assert conform(subject, "--rules", "CAN-01,ORD-01", "--strict") == 1
    monkeypatch.setattr(declarations, "declared", lambda: known)
    code, played = report(subject, "--rules", "CAN-01,ORD-01")
    assert code == 1
    gone = f"{subject} is declared to break ORD-01 and keeps it: take the declaration back"
    assert played.stale_declarations == [gone]
    assert gone in capsys.readouterr().out


def test_what_nobody_claims_is_not_judged(report):
    code, played = report("asyncio", "--rules", "TMR-04")
    (verdict,) = played.subjects[0].results
    assert (code, verdict.outcome) == (0, "not-offered")
    assert verdict.message == "the subject does not claim fifo-deadlines"


def test_what_the_platform_lacks_is_skipped_with_the_reason(monkeypatch, report):
    monkeypatch.setitem(PLATFORM_FEATURES, "fork", (False, "this platform has no fork()"))
    code, played = report("muxloop@select", "--rules", "LIF-08")
    (verdict,) = played.subjects[0].results
    assert (code, verdict.outcome, verdict.message) == (0, "skipped", "this platform has no fork()")


@pytest.mark.parametrize("spread", [(), ("-n", "1")], ids=["in this process", "in one of pytest-xdist"])
def test_a_module_of_the_current_folder_can_be_judged(tmp_path, spread):
    (tmp_path / "my_own_loop.py").write_text("import asyncio\nnew = asyncio.SelectorEventLoop\n")
    command = [sys.executable, "-P", "-m", "muxloop", "conform", "my_own_loop:new", "--rules", "ORD-01"]
    run = subprocess.run([*command, *spread], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "my_own_loop:new holds every rule" in run.stdout


def test_as_functions_without_pytest():
    subject = FAULTY["CAN-01"]
    played = judge(subject, "muxloop@select", rules=["CAN-0[12]"], profile="quick", seed=7)
    assert [s.subject for s in played.subjects] == [subject, "muxloop@select"]
    assert [v.rule for v in played.subjects[1].results] == ["CAN-01", "CAN-02"]
    check("muxloop@select", "CAN-01", profile="quick")
    with pytest.raises(RuleBrokenError, match=r"CAN-01 \(level R\) broken"):
        check(subject, "CAN-01", profile="quick", seed=7)
    lenient = FAULTY["ORD-04"]
    check(lenient, "ORD-04", profile="quick", seed=7, strict=False)
    with pytest.raises(RuleBrokenError, match="ORD-04"):
        check(lenient, "ORD-04", profile="quick", seed=7)
