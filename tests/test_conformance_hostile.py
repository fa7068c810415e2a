"""Subjects that attack the process that plays them get a verdict; the run goes on to its end."""

import os
import re
import subprocess
import sys
import time

import pytest
from muxloop.cli import main
from muxloop.conformance import judge
from muxloop.conformance.history import History
from muxloop.conformance.playground import Playground
from muxloop.errors import SubjectError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals, fork and /proc")

SMALL = (("soon", "c0", ()), ("run",))


@pytest.mark.parametrize(
    ("factory", "outcome", "detail"),
    [
        ("sleeps", "hung", "no answer within 2.0 s"),
        ("stops_itself", "hung", "no answer within 2.0 s"),
        ("exits", "crashed", "the playing process exited with code 3"),
        ("quits", "crashed", "the playing process exited with code 1"),
        ("kills_its_group", "crashed", "the playing process died of SIGKILL"),
        ("closes_every_file", "crashed", "the playing process exited with code 1"),
    ],
)
def test_a_factory_that_takes_its_process_along(factory, outcome, detail):
    with Playground(f"hostile_factories:{factory}", hard_limit_s=2.0) as playground:
        for ended in (playground.describe(), playground.play(SMALL)):
            assert isinstance(ended, History)
            assert (ended.outcome, ended.detail) == (outcome, detail)


def test_a_hang_shows_where_it_hangs():
    with Playground("hostile_factories:sleeps", hard_limit_s=2.0) as playground:
        assert "in sleeps" in playground.play(SMALL).stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize(
    ("factory", "outcome", "detail"),
    [
        ("Hoards", "crashed", "the playing process took more than 300 MiB of memory, and was ended"),
        ("Spins", "hung", r"no answer within 2.0 s; it spins: \d.\d s of CPU in the last 1.0 s"),
    ],
)
def test_a_loop_that_takes_all_there_is(factory, outcome, detail):
    with Playground(f"hostile_factories:{factory}", hard_limit_s=2.0, memory_limit_mib=300) as playground:
        ended = playground.play(SMALL)
    assert ended.outcome == outcome
    assert re.fullmatch(detail, ended.detail)
    assert "in _run_once" in ended.stderr


@pytest.mark.parametrize(
    ("subject", "rule", "outcome", "kept"),
    [
        ("faulty_loops:segfaults", "ORD-01", "crashed", "Fatal Python error: Segmentation fault"),
        ("hostile_factories:ExitsInACallback", "ORD-01", "crashed", "exited with code 7"),
    ],
)
def test_an_end_of_the_process_is_a_verdict_with_program_and_stack(subject, rule, outcome, kept):
    report = judge(subject, rules=[rule], profile="quick", seed=1)
    (verdict,) = report.subjects[0].results
    assert verdict.outcome == outcome
    assert verdict.witness.program
    assert kept in verdict.message + verdict.witness.stderr


def test_a_littered_process_is_a_finding_and_is_not_used_again():
    with Playground("hostile_factories:Litters") as playground:
        seen = []
        for _ in range(2):
            (left,) = playground.play((("soon", "c0", ()), ("run",), ("leave",))).of("left")
            seen.append(left["changed"])
    assert seen == [["sys.excepthook", "the environment"]] * 2
    report = judge("hostile_factories:Litters", rules=["RES-08", "ORD-01"], profile="quick", seed=1)
    assert {v.rule: v.outcome for v in report.subjects[0].results} == {"ORD-01": "held", "RES-08": "broken"}


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        ("always_the_same", "its factory returned the same loop twice; it must make a new one every time"),
        ("stops_the_clock", "replaces time.monotonic, by which it is judged"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_sentence(factory, told):
    with pytest.raises(SubjectError, match=told):
        judge(f"hostile_factories:{factory}", rules=["ORD-01"], profile="quick", seed=1)


def test_a_factory_that_patches_all_there_is_with_gevent():
    pytest.importorskip("gevent", reason="gevent is not installed")
    report = judge(
        "hostile_factories:is_patched_by_gevent", rules=["ORD-*", "THR-0[34]"], profile="quick", seed=1
    )
    assert {v.outcome for v in report.subjects[0].results} == {"held"}


MANNERS = [
    *("forks", "prints", "floods", "replaces_hooks", "starts_a_thread", "wanders", "sound"),
    *("installs_signal_handlers", "never_sleeps"),
]


@pytest.mark.parametrize("factory", MANNERS)
def test_bad_manners_are_no_fault_of_the_loop(factory):
    report = judge(f"hostile_factories:{factory}", rules=["ORD-01", "CAN-01"], profile="quick", seed=1)
    assert [verdict.outcome for verdict in report.subjects[0].results] == ["held", "held"]


def test_a_loop_may_log_where_it_likes():
    report = judge("hostile_factories:logs_elsewhere", rules=["EXC-02", "EXC-05"], profile="quick", seed=1)
    assert [verdict.outcome for verdict in report.subjects[0].results] == ["held", "held"]


def test_a_loop_may_have_tasks_of_its_own():
    report = judge("hostile_factories:makes_other_tasks", rules=["CAN-0[45]"], profile="quick", seed=1)
    assert [verdict.outcome for verdict in report.subjects[0].results] == ["held", "held"]


@pytest.mark.parametrize(
    ("factory", "rule", "seen"),
    [
        ("seems_to_run", "ORD-01", "it never ran"),
        ("ClockOfWords", "ORD-01", "loop.time() returned 'noon', which is no number"),
        ("AnswersStrangely", "IO-03", "it returned {}"),
    ],
)
def test_strange_answers_are_findings(factory, rule, seen):
    report = judge(f"hostile_factories:{factory}", rules=[rule], profile="quick", seed=1)
    (verdict,) = report.subjects[0].results
    assert verdict.outcome == "broken"
    assert verdict.witness is not None
    assert seen in verdict.witness.seen


def test_what_a_loop_does_not_implement_is_not_offered():
    report = judge("hostile_factories:Lazy", rules=["TMR-01"], profile="quick", seed=1)
    (verdict,) = report.subjects[0].results
    assert (verdict.outcome, verdict.message) == ("not-offered", "NotImplementedError: call_later: not yet")


def test_what_no_program_could_do_was_not_seen_to_hold():
    """Without a reader there is nothing to find fault with."""
    report = judge("hostile_factories:Blind", rules=["IO-01", "IO-04", "ORD-01"], profile="quick", seed=1)
    outcomes = {verdict.rule: verdict.outcome for verdict in report.subjects[0].results}
    assert outcomes == {"IO-01": "not-offered", "IO-04": "not-offered", "ORD-01": "held"}


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_the_run_goes_on_past_killers(capsys, monkeypatch, spread):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    killers = (
        "faulty_loops:exits_the_process",
        "faulty_loops:segfaults",
        "hostile_factories:kills_its_group",
    )
    arguments = ("conform", *killers, "muxloop@select", "--rules", "ORD-01", "--profile", "quick", *spread)
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert "exited with code 3" in told.err
    assert "died of SIGSEGV" in told.err
    assert "died of SIGKILL" in told.err
    assert "muxloop@select: finished, 1 of 1 rule held" in told.err
    assert "3 of 4 subjects fail, 1 holds every rule" in told.out
    assert "Traceback" not in told.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_play_that_hangs_ends_itself_when_its_suite_is_gone():
    playground = Playground("hostile_factories:sleeps", hard_limit_s=0.5)
    worker = playground._start()
    playground.hard_limit_s = 0.2  # the suite gives up at once, and does not clean up
    assert playground._ask({"ask": "describe"}) is None
    assert worker.wait(60) == 1
    playground.stop()


def test_a_stopped_playground_leaves_no_child_of_the_subject():
    playground = Playground("hostile_factories:leaves_a_child")
    assert playground.play(SMALL).outcome == "completed"
    child = int(playground.stop().split()[-1])
    while is_running(child):
        time.sleep(0.01)


def is_running(pid):
    """False for a zombie, too: whether somebody reaps the orphan is not up to the suite."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()[:1] not in ("", "Z")


def test_a_loop_that_gives_no_handle_is_told_so():
    (report,) = judge(
        "hostile_factories:gives_no_handles", rules=["CAN-02"], profile="quick", seed=1
    ).subjects
    (verdict,) = report.results
    assert verdict.outcome == "broken"
    assert "'NoneType' object has no attribute 'cancelled'" in verdict.message
