"""The stress script ends well on a sound loop, and says what is wrong with one that is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from muxloop import backends
from source_tree import ROOT

pytestmark = pytest.mark.skipif(  # Wine shows /proc as well, but not our sockets in it
    os.name != "posix" or not Path("/proc/self/fd").exists(), reason="it counts in /proc/self/fd"
)

AVAILABLE = [backend.name for backend in backends() if backend.available and backend.source == "built in"]
LOADS = ["connections", "churn", "processes", "flood"]


def stress(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.run(
        [sys.executable, ROOT / "ci" / "stress", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="what its JIT compiles counts as memory, too")
def test_every_backend_ends_every_load_as_it_began() -> None:
    run = stress("--scale", "0.005")
    assert run.returncode == 0, run.stdout + run.stderr
    told = [line.split()[:3] for line in run.stdout.splitlines()]
    assert told == [[name, load, "ok:"] for name in AVAILABLE for load in LOADS]


@pytest.mark.parametrize(
    ("loop", "load", "verdict"),
    [
        ("LeaksDescriptors", "churn", "DIFFERS"),
        ("ForgetsACall", "flood", "FAILED: RuntimeError: call"),
    ],
)
def test_what_is_wrong_is_told(loop: str, load: str, verdict: str) -> None:
    run = stress(load, "--backend", "poll", "--scale", "0.01", "--loop", f"stress_faults:{loop}")
    assert run.returncode == 1, run.stdout + run.stderr
    assert verdict in run.stdout


def test_a_load_that_there_is_not() -> None:
    run = stress("avalanche")
    assert run.returncode == 2
    assert "no load 'avalanche': connections, churn, processes, flood" in run.stderr
