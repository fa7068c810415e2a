"""The suite as a pytest plug-in: one test per subject and rule, with a verdict instead of a traceback."""

import json
import os
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

TESTS = str(Path(__file__).parent)


@pytest.fixture
def conform(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", TESTS, prepend=os.pathsep)

    def run(*arguments):
        return pytester.runpytest_subprocess("--muxloop-profile=quick", "--muxloop-seed=7", *arguments)

    return run


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_verdicts_are_outcomes(conform, spread):
    result = conform(
        "--muxloop-subject=faulty_loops:exits_the_process",
        "--muxloop-subject=muxloop@select",
        "--muxloop-subject=asyncio",
        "--muxloop-rules=ORD-01,TMR-04",
        *spread,
    )
    # What kills its process breaks every rule; asyncio claims no order of equal deadlines.
    result.assert_outcomes(failed=1, xfailed=1, passed=3, skipped=1)
    assert result.ret == 1
    text = result.stdout.str()
    assert "ORD-01 (level R) crashed: not even the smallest program can be played" in text
    assert "Traceback" not in text


def test_junit_of_two_processes_has_a_case_for_each_subject_and_rule(conform, pytester):
    subjects, rules = ("muxloop@select", "asyncio@select"), ("CAN-01", "TMR-09")
    conform(
        *(f"--muxloop-subject={subject}" for subject in subjects),
        f"--muxloop-rules={','.join(rules)}",
        "--junitxml=out.xml",
        "--muxloop-strict",
        *("-n", "2"),
    ).assert_outcomes(passed=3, failed=1)
    cases = {
        (case.get("classname"), case.get("name")): case
        for case in ElementTree.parse(pytester.path / "out.xml").iter("testcase")
    }
    assert cases.keys() == set(product(subjects, rules))
    broken = cases["asyncio@select", "TMR-09"]
    assert "asyncio@select: TMR-09 (level C) broken" in broken.find("failure").get("message")
    verdict = json.loads(broken.find("properties/property[@name='muxloop_verdict']").get("value"))
    assert verdict["witness"]["program"]
    assert verdict["reproduce"].startswith("muxloop conform asyncio@select --rules TMR-09 --program ")


def test_without_the_option_nothing_is_added(conform, pytester):
    pytester.makepyfile("def test_mine(): pass")
    conform().assert_outcomes(passed=1)


def test_beside_tests_of_ones_own(conform, pytester):
    pytester.makepyfile("def test_mine(): pass")
    conform("--muxloop-subject=muxloop@select", "--muxloop-rules=ORD-01,CAN-01").assert_outcomes(passed=3)


def test_levels_are_markers(conform):
    result = conform(
        "--muxloop-subject=muxloop@select", "--muxloop-rules=ORD-01,ORD-02", "-m", "level_C", "-v"
    )
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["*ORD-02*PASSED*"])


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--muxloop-subject=nope", "nope: no subject of that name"),
        ("--muxloop-rules=NOPE", "no rule fits"),
        ("--muxloop-rules=", "names no rule"),
        ("--muxloop-seed=x", "--muxloop-seed x: a seed is a whole number from 0 to"),
        ("--muxloop-profile=slow", "there are quick, default, thorough"),
    ],
)
def test_bad_options_are_told_in_one_line(conform, option, told):
    result = conform("--muxloop-subject=muxloop@select", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert told in line
    assert "Traceback" not in "\n".join([*result.outlines, *result.errlines])


def test_the_example_of_the_docstring(conform, pytester):
    pytester.makepyfile(
        """
        import pytest
        from muxloop.conformance import check, rule_ids

        @pytest.mark.parametrize("rule", rule_ids()[:2])
        def test_my_loop(rule):
            check("asyncio:SelectorEventLoop", rule, profile="quick")
        """
    )
    conform().assert_outcomes(passed=2)
