"""Rules that look on while others are judged: what they suspect, what is told of it, and the exit codes."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
from muxloop.cli import main
from muxloop.conformance import declarations
from muxloop.conformance.declarations import Deviation
from muxloop.conformance.history import Event, History
from muxloop.conformance.judging import PROFILES, judge_suspects
from muxloop.conformance.onlooking import SUSPECTS, Onlookers, pare
from muxloop.conformance.program import walk
from muxloop.conformance.rules import all_rules
from muxloop.conformance.verdict import Report

pytest_plugins = ["pytester"]

RULES = {rule.id: rule for rule in all_rules()}
CAN_15, RES_01, RES_03 = RULES["CAN-15"], RULES["RES-01"], RULES["RES-03"]
NOTHING_LEFT = {"held": [], "alive": [], "descriptors": [], "threads": [], "warned": [], "changed": []}
LEAKS = ("soon", "leaks", ())


def played(program, outcome="completed"):
    """The history of a program on a loop that leaves a file open wherever a callback is called "leaks"."""
    leaks = any(action[:2] == LEAKS[:2] for action in walk(program))
    left = {**NOTHING_LEFT, "descriptors": [7] if leaks else []}
    events = (Event(0, 0.0, "main", "left", "", left),) if outcome == "completed" else ()
    return History(program, events, outcome=outcome)


class Playground:
    """Plays nothing: knows how each program would end, but for the first few, which leave nothing open."""

    subject = "tests:none"

    def __init__(self, sound_plays=0, outcome="completed"):
        self.sound_plays, self.outcome = sound_plays, outcome

    def play(self, program):
        self.sound_plays -= 1
        return played((("run",),)) if self.sound_plays >= 0 else played(program, self.outcome)

    def stop(self):
        """There is no process."""


def suspects_of(onlookers):
    return {rule.id: list(programs) for rule, programs in onlookers.take_suspects()}


def test_a_history_that_breaks_another_rule_makes_a_suspect_once():
    onlookers = Onlookers([RES_01, RES_03])
    onlookers.look(played((LEAKS, ("run",), ("leave",))), CAN_15)
    assert suspects_of(onlookers) == {"RES-01": [(LEAKS, ("run",))]}
    assert suspects_of(onlookers) == {}


def test_nobody_looks_on_where_he_judges_or_where_all_is_known():
    onlookers = Onlookers([RES_01])
    onlookers.look(played((LEAKS,)), RES_01)
    onlookers.knows_broken(RES_01)
    onlookers.look(played((LEAKS,)), CAN_15)
    assert suspects_of(onlookers) == {}


def test_so_many_suspects_are_kept_and_no_more():
    onlookers = Onlookers([RES_01])
    programs = [(LEAKS,) * length for length in range(1, SUSPECTS + 3)]
    for program in programs:
        onlookers.look(played(program), CAN_15)
    assert suspects_of(onlookers) == {"RES-01": programs[:SUSPECTS]}


def judged(suspects, playground):
    onlookers = Onlookers([RES_01])
    for program in suspects:
        onlookers.look(played(program), CAN_15)
    return list(judge_suspects(onlookers, CAN_15, playground, PROFILES["quick"]))


def test_a_suspect_is_played_again_and_pared_down():
    around = ("soon", "c0", (("soon", "c1", ()), LEAKS))
    (verdict,) = judged([(("send", 0, 1), around, ("run",))], Playground())
    assert (verdict.rule, verdict.outcome) == ("RES-01", "broken")
    assert verdict.witness.program == [["soon", "c0", [["soon", "leaks", []]]], ["leave"]]
    assert "it left 7 open (in a program of CAN-15)" in verdict.message
    assert verdict.reproduce.startswith("muxloop conform tests:none --rules RES-01 --program ")


def test_an_innocent_suspect_does_not_hide_the_next():
    (verdict,) = judged([(LEAKS, ("run",)), (LEAKS,)], Playground(sound_plays=1))
    assert verdict.witness.program == [["soon", "leaks", []], ["leave"]]


@pytest.mark.parametrize("playground", [Playground(sound_plays=100), Playground(outcome="hung")])
def test_a_suspect_that_does_not_break_the_rule_again_is_not_told(playground):
    assert judged([(LEAKS,)] * SUSPECTS, playground) == []


@pytest.mark.parametrize(("attempted", "findings"), [("run_until_complete", 0), ("run_forever", 1)])
def test_what_the_player_brought_about_is_no_false_alarm(attempted, findings):
    """It closes the coroutine of a run that is refused, of which uvloop has made a task by then."""
    told = {"arguments": 2, "exception": "RuntimeError", "message": "cannot reuse already awaited coroutine"}
    events = (
        Event(0, 0.0, "T", "attempted", attempted, {"error": "RuntimeError: already running"}),
        Event(1, 0.0, "loop", "handled", told["message"], told),
    )
    assert len(list(RULES["RES-05"].check(History((("attempt", attempted),), events)))) == findings


def test_paring_leaves_what_is_needed_at_whatever_depth():
    program = (("soon", "a", (("soon", "b", (("stop",), LEAKS)), ("stop",))), ("run",), ("stop",), ("run",))

    def breaks(body):
        return {("run",), LEAKS} <= set(walk(body))

    assert pare(program, breaks) == (("soon", "a", (("soon", "b", (LEAKS,)),)), ("run",))


# -- a whole run: a loop whose leak shows in programs of another rule only ----------------------------------

SUBJECT = "faulty_loops:keeps_cancelled_jobs"
ASKED = (SUBJECT, "--rules", "CAN-15,RES-03", "--profile", "quick", "--seed", "1")
SEEN = "it is still alive (in a program of CAN-15)"


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """How small a program gets does not matter here."""
    monkeypatch.setitem(PROFILES, "quick", dataclasses.replace(PROFILES["quick"], shrink_s=0.2))


def conform(path, *arguments):
    code = main(["conform", *arguments, "--json", str(path)])
    return code, Report.from_json(json.loads(path.read_text()))


def outcomes(report):
    return {
        verdict.rule: (verdict.outcome, SEEN in verdict.message) for verdict in report.subjects[0].results
    }


FOUND = {"CAN-15": ("held", False), "RES-03": ("broken", True)}


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_a_run_tells_it_and_a_strict_one_fails(tmp_path, capsys, spread):
    code, report = conform(tmp_path / "report.json", *ASKED, "--strict", *spread)
    assert (code, outcomes(report)) == (1, FOUND)
    log = capsys.readouterr().err
    assert log.count(f"{SUBJECT}: RES-03 (level C) broken, deviates") == 1
    assert f"{SUBJECT}: finished, 1 of 2 rules held" in log


def test_the_shard_that_saw_it_tells_it_and_so_does_the_whole(tmp_path, monkeypatch):
    """It is declared: what a shard knows by its own programs, that it has gone away, is not true."""
    known = Deviation("RES-03", (SUBJECT,), "jobs are noted")
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    paths = [tmp_path / f"{number}.json" for number in (1, 2)]
    said = [conform(path, *ASKED, "--shard", f"{n}/2") for n, path in enumerate(paths, 1)]
    assert [outcomes(report) for _, report in said] == [FOUND, {"RES-03": ("held", False)}]
    assert [(code, len(report.stale_declarations)) for code, report in said] == [(0, 0), (1, 1)]
    merging = ("--merge", *map(str, paths))
    code, merged = conform(tmp_path / "merged.json", *merging)
    assert (code, outcomes(merged), merged.stale_declarations) == (0, FOUND, [])
    assert merged.subjects[0].results[1].declared == "jobs are noted"
    assert main(["conform", *merging, "--strict"]) == 1


def test_the_rule_itself_plays_what_it_saw_the_next_time(tmp_path):
    database = ("--database", str(tmp_path / "programs"))
    _, found = conform(tmp_path / "first.json", *ASKED, *database)
    alone = (SUBJECT, "--rules", "RES-03", "--profile", "quick", *database)
    _, again = conform(tmp_path / "second.json", *alone)
    first, second = found.subjects[0].results[1], again.subjects[0].results[0]
    assert (second.outcome, second.reproduce) == ("broken", first.reproduce)
    assert second.examples <= 4


# -- the plug-in --------------------------------------------------------------------------------------------


@pytest.fixture
def plug_in(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)

    def run(*arguments):
        options = ("--muxloop-profile=quick", "--muxloop-seed=1", "--muxloop-rules=CAN-15,RES-03")
        return pytester.runpytest_subprocess(f"--muxloop-subject={SUBJECT}", *options, *arguments)

    return run


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_the_test_that_provoked_it_fails_with_its_text(plug_in, spread):
    result = plug_in("--muxloop-strict", *spread)
    result.assert_outcomes(failed=1, passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = result.stdout.str()
    assert f"{SUBJECT}: RES-03 (level C) broken" in text
    assert SEEN in text
    assert f"FAILED {SUBJECT}::CAN-15" in text.replace("::faulty", "faulty")


def test_what_is_declared_is_expected_to_fail(plug_in, pytester, monkeypatch):
    entry = f'[[deviation]]\nrule = "RES-03"\nsubjects = ["{SUBJECT}"]\nreason = "jobs are noted"\n'
    monkeypatch.setenv("MUXLOOP_DECLARED", str(pytester.makefile(".toml", known=entry)))
    result = plug_in("-rx")
    result.assert_outcomes(xfailed=1, passed=1)
    assert result.ret == pytest.ExitCode.OK
    assert "RES-03 (level C) declared: jobs are noted" in result.stdout.str()
