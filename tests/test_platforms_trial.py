"""ci/platforms/trial.py: what it makes of the reports of pytest and ``muxloop conform``."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOT

TRIAL = ROOT / "ci" / "platforms" / "trial.py"

SOUND = '<testsuites><testsuite tests="9" failures="0" errors="0" skipped="2"/></testsuites>'
FAULTY = '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="2"/></testsuites>'

PYTEST = """\
import sys
from pathlib import Path
report, code = {report!r}, {code!r}
if report:
    (path,) = (argument.partition("=")[2] for argument in sys.argv if argument.startswith("--junitxml="))
    Path(path).write_text(report)
assert sys.argv[-2:] == ["tests/test_a.py", "-x"]
Path("ignored").write_text(" ".join(name for name in sys.argv if name.startswith("--ignore=")))
sys.exit(code)
"""

MUXLOOP = """\
import sys, time
from pathlib import Path
if sys.argv[1:] == ["backends", "--json"]:
    print('[{{"name": "epoll", "available": true}}, {{"name": "kqueue", "available": false}}]')
elif sys.argv[1] == "conform":
    report, code = {report!r}, {code!r}
    if report:
        Path(sys.argv[sys.argv.index("--json") + 1]).write_text(report)
    if code == "hangs":
        time.sleep(1000)
    sys.exit(code)
"""


def report(*outcomes: tuple[str, str | None]) -> str:
    """A report of one subject; its rules are numbered from 1."""
    results = [
        {"rule": f"SEL-{number:02}", "outcome": outcome, "declared": declared}
        for number, (outcome, declared) in enumerate(outcomes, 1)
    ]
    return json.dumps({"subjects": [{"subject": "selector:epoll", "results": results}]})


HELD = report(("held", None), ("held", None), ("broken", "known"))
BROKEN = report(("held", None), ("broken", None), ("hung", None))


def trial(
    folder: Path,
    tests: tuple[str, int],
    rules: tuple[str, object],
    *trial_arguments: str,
    limit_s: int = 60,
    **more: str,
) -> tuple[int, list[str]]:
    """The exit code, and the fields of the last line, for what pytest and muxloop report and end with."""
    (folder / "pytest.py").write_text(PYTEST.format(report=tests[0], code=tests[1]))
    (folder / "muxloop.py").write_text(MUXLOOP.format(report=rules[0], code=rules[1]))
    arguments = ["--on", "Wine 8.0", "--tests", "tests/test_a.py -x", "--limit-s", str(limit_s)]
    environment = {name: value for name, value in os.environ.items() if name != "MUXLOOP_BACKEND"}
    run = subprocess.run(
        [sys.executable, TRIAL, *arguments, *trial_arguments],
        cwd=folder,
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    return run.returncode, run.stdout.splitlines()[-1].split("\t")


def test_what_is_well_is_counted(tmp_path: Path) -> None:
    code, fields = trial(tmp_path, (SOUND, 0), (HELD, 0))
    assert code == 0
    verdict, interpreter, system, backends, tests, conformance = fields
    assert (verdict, backends, tests) == ("RESULT", "epoll", "7 passed, 0 failed, 2 skipped")
    assert interpreter == f"{platform.python_implementation()} {platform.python_version()}"
    assert platform.machine() in system
    assert system.endswith(" on Wine 8.0")
    assert conformance == "1 subject: 1 broken, 2 held"


def test_the_backend_that_all_is_forced_to_is_the_one_that_is_told(tmp_path: Path) -> None:
    _, fields = trial(tmp_path, (SOUND, 0), (HELD, 0), MUXLOOP_BACKEND="mine:Selector")
    assert fields[3] == "mine:Selector"


def test_failed_tests_are_counted_and_fail_the_trial(tmp_path: Path) -> None:
    code, fields = trial(tmp_path, (FAULTY, 1), (HELD, 0))
    assert (code, fields[4]) == (1, "4 passed, 3 failed, 2 skipped")


def test_files_are_left_out_by_name_and_the_line_says_how_many(tmp_path: Path) -> None:
    (tmp_path / "test_pages.py").touch()
    code, fields = trial(tmp_path, (SOUND, 0), (HELD, 0), "--without", "test_pages.py muxloop.py")
    assert (code, fields[4]) == (0, "7 passed, 0 failed, 2 skipped, 2 files left out")
    assert (tmp_path / "ignored").read_text() == "--ignore=test_pages.py --ignore=muxloop.py"


def test_a_file_that_is_not_there_cannot_be_left_out(tmp_path: Path) -> None:
    command = [sys.executable, TRIAL, "--without", "tests/test_gone.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "tests/test_gone.py: no such file here" in run.stderr


def test_tests_that_end_without_a_report_fail_the_trial(tmp_path: Path) -> None:
    code, fields = trial(tmp_path, ("", 3), (HELD, 0))
    assert (code, fields[4]) == (1, "exit code 3")


def test_broken_rules_are_named_unless_they_are_declared(tmp_path: Path) -> None:
    code, fields = trial(tmp_path, (SOUND, 0), (BROKEN, 1))
    assert code == 1
    assert fields[5] == "1 subject: 1 broken, 1 held, 1 hung; selector:epoll SEL-02; selector:epoll SEL-03"


@pytest.mark.parametrize("code", [3, "hangs"])
def test_a_suite_that_fails_itself_fails_the_trial(tmp_path: Path, code: object) -> None:
    ended, fields = trial(tmp_path, (SOUND, 0), ("", code), limit_s=4)
    assert (ended, fields[5]) == (1, "exit code 3" if code == 3 else "no end within 4 s")
