"""The steadiness of verdicts is told rule by rule."""

import subprocess
import sys

from source_tree import ROOT


def steadiness(*arguments):
    command = [sys.executable, ROOT / "ci" / "steadiness", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_same_verdicts_every_time(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    run = steadiness("1", "muxloop@select", "faulty_loops:cancelled_in_batch_runs", "--rules", "CAN-0[12]")
    assert run.returncode == 0, run.stderr
    assert run.stdout == "4 verdicts, 2 runs: 0 differed\n"


def test_several_runs_at_a_time():
    run = steadiness("2", "muxloop@select", "--rules", "CAN-0[12]", "-n", "2")
    assert run.returncode == 0, run.stderr
    assert run.stdout == "2 verdicts, 4 runs: 0 differed\n"


def test_a_verdict_that_changes_is_named_with_the_run(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    monkeypatch.setenv("MUXLOOP_TEST_FIRST_RUN", str(tmp_path / "first"))
    run = steadiness("1", "hostile_factories:changes_its_mind", "--rules", "ORD-01,CAN-01")
    assert run.returncode == 1, run.stderr
    differing, closing = run.stdout.splitlines()
    assert differing.startswith(
        "hostile_factories:changes_its_mind CAN-01: 1x held, 1x broken; the first broken in"
    )
    assert "loaded run 1: expected: " in differing
    assert closing == "2 verdicts, 2 runs: 1 differed"


def test_what_cannot_be_run_is_told():
    run = steadiness("1", "nope")
    assert run.returncode == 2
    assert "nope: no subject of that name" in run.stderr
    assert steadiness("0", "muxloop").returncode == 2
    assert steadiness("1", "muxloop", "-n", "0").returncode == 2
