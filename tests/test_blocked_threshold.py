"""Setting the watchdog: by the method, by the environment, and as its page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from block_reports import THRESHOLD_S, Letting, listening, watchdogs
from loops_under_test import OURS, opened, turn
from muxloop import EventLoop, new_event_loop
from muxloop.errors import UsageError
from pages import blocks_of, printed_by

VARIABLE = "MUXLOOP_BLOCKED_THRESHOLD"


@pytest.fixture
def each() -> Iterator[EventLoop]:
    yield from opened(OURS[0])


@pytest.fixture
def log() -> Iterator[Letting]:
    yield from listening()


def test_bad_arguments_are_refused(each: EventLoop) -> None:
    for seconds in (-1, float("nan"), float("inf"), -0.5):
        with pytest.raises(ValueError, match="number of seconds from 0 on"):
            each.set_blocked_threshold(seconds)
    with pytest.raises(TypeError, match="seconds or None"):
        each.set_blocked_threshold("1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="callable action"):
        each.set_blocked_threshold(1, "log")  # type: ignore[arg-type]


def test_the_environment_sets_it(monkeypatch: pytest.MonkeyPatch, log: Letting) -> None:
    monkeypatch.setenv(VARIABLE, str(THRESHOLD_S))
    loop = new_event_loop()
    loop.call_soon(log.let_go.wait)
    turn(loop)
    loop.close()
    assert "in wait" in log.records[-1].getMessage()


@pytest.mark.parametrize("off", ["", "0", "0.0"])
def test_the_environment_may_leave_it_off(monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    monkeypatch.setenv(VARIABLE, off)
    for loop in opened(OURS[0]):
        loop.call_soon(int)
        turn(loop)
        assert watchdogs() == []


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "1s"])
def test_a_bad_value_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(UsageError) as caught:
        new_event_loop()
    assert str(caught.value) == (
        f"{VARIABLE}={value}: not a number of seconds; unset it, or give seconds such as 0.5 (0: off)"
    )
    monkeypatch.delenv(VARIABLE)


def test_a_bad_value_takes_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/fd").exists():
        pytest.skip("no /dev/fd to count descriptors by")
    monkeypatch.setenv(VARIABLE, "soon")
    before = len(os.listdir("/dev/fd"))
    for name in OURS:
        with pytest.raises(UsageError):
            new_event_loop(name)
    assert len(os.listdir("/dev/fd")) == before


def test_the_launcher_tells_a_bad_value_in_one_line(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print('ran')\n")
    run = subprocess.run(
        [sys.executable, "-m", "muxloop", "run", str(program)],
        env={**os.environ, VARIABLE: "soon"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"muxloop: {VARIABLE}=soon: not a number of seconds")
    assert run.stderr.count("\n") == 1


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    program, with_action = blocks_of("docs/blocked-loop.md")
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "muxloop", "run", "app.py"],
        env={**os.environ, VARIABLE: "0.5"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    shown = blocks_of("docs/blocked-loop.md", "console")[0].splitlines()
    for line in shown[2:6]:
        assert f"{line}\n" in run.stderr
    assert " has been blocked for " in run.stderr
    assert "by <Task pending name='Task-1' coro=<main() running at" in run.stderr
    (tmp_path / "action.py").write_text(with_action, encoding="utf-8")
    assert re.match(r"blocked for \d+\.\d s in main\(\)\n", printed_by(tmp_path / "action.py"))
