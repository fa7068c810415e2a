"""The soak ends well on a sound loop, and says what is wrong with one that is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from muxloop import backends
from source_tree import ROOT

pytestmark = pytest.mark.skipif(  # Wine shows /proc as well, but not our sockets in it
    os.name != "posix" or not Path("/proc/self/fd").exists(), reason="the soak counts in /proc/self/fd"
)

AVAILABLE = [backend.name for backend in backends() if backend.available and backend.source == "built in"]


def soak(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "ci" / "soak", *arguments], capture_output=True, text=True, check=False
    )


def test_every_backend_ends_as_it_began() -> None:
    run = soak("0.02")
    assert run.returncode == 0, run.stdout + run.stderr
    header, *lines = run.stdout.splitlines()
    assert "seed" in header
    assert [line.split()[:2] for line in lines] == [[name, "ok:"] for name in (*AVAILABLE, "kqueue-emulated")]


@pytest.mark.parametrize(
    ("loop", "verdict"),
    [
        ("LeaksObjects", "objects of type list: "),
        ("LosesWakeups", "threadsafe: "),
        ("LeaksDescriptors", "descriptors: "),
        ("NeverRests", "idle wake-ups: "),
        ("Stops", "HUNG"),
        ("Dies", "DIED of SIGABRT"),
    ],
)
def test_what_is_wrong_is_told_with_a_way_to_see_it_again(loop: str, verdict: str) -> None:
    patience_s = "1" if loop == "Stops" else "3"
    chosen = ("--backend", "poll", "--seed", "1", "--patience", patience_s)
    run = soak("0.05", *chosen, "--loop", f"soak_faults:{loop}")
    assert run.returncode == 1, run.stdout + run.stderr
    assert verdict in run.stdout
    assert " ok" not in run.stdout
    assert "again: ci/soak.sh 0.05 --seed 1 --backend poll" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no"], "invalid _positive value: 'no'"),
        (["0"], "0: give a number above 0"),
        (["1", "--backend", "smoke"], "invalid choice: 'smoke'"),
    ],
)
def test_bad_usage_is_told_in_one_line(arguments: list[str], message: str) -> None:
    run = soak(*arguments)
    assert run.returncode == 2
    assert message in run.stderr.splitlines()[-1]
