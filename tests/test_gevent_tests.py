"""`ci/gevent_tests.sh` tells what is declared from what is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from source_tree import ROOT

pytestmark = [
    pytest.mark.skipif(find_spec("gevent") is None, reason="needs gevent"),
    pytest.mark.skipif(sys.platform == "win32", reason="the loop for gevent needs POSIX"),
]

MISS = """
[[miss]]
kind = "fails on libev too"
reason = "to try it"
tests = ["{test}"]
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    for name in ("downstream", "gevent_tests"):
        shutil.copytree(ROOT / "ci" / name, tmp_path / name)
    return tmp_path


def run(scripts: Path, declared: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (scripts / "gevent_tests" / "declared.toml").write_text(declared, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GEVENT")}
    return subprocess.run(
        [sys.executable, str(scripts / "gevent_tests"), "--keep", str(scripts / "logs"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_what_passes_is_counted(scripts: Path) -> None:
    done = run(scripts, "", "poll", "--only", "test__issue330", "--only", "test__import_wait")
    assert (done.returncode, done.stderr) == (0, "")
    # Four tests, and a plain script.
    assert re.fullmatch(r"gevent [\d.]+ on poll: 5 passed, 0 declared\n", done.stdout)


def test_what_is_declared_and_passes_fails_the_run(scripts: Path) -> None:
    declared = MISS.format(test="test__core_callback.Test.test")
    done = run(scripts, declared, "poll", "--only", "test__core_callback")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "test__core_callback.Test.test is declared (fails on libev too: to try it) and passed" in done.stderr
    )


def test_a_failure_has_to_be_declared(scripts: Path) -> None:
    # It looks for a checkout of gevent.
    only = ("poll", "--only", "test___monkey_patching", "--only", "test__core_callback")
    done = run(scripts, "", *only)
    assert (done.returncode, done.stdout) == (1, "")
    assert "test___monkey_patching failed and is not declared exit code 1" in done.stderr
    done = run(scripts, MISS.format(test="test___monkey_patching"), *only)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("on poll: 1 passed, 1 declared\n")


def test_gevents_own_loop_can_be_asked(scripts: Path) -> None:
    done = run(scripts, "", "--loop", "libev-cext", "--only", "test__core_callback")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("on libev-cext: 1 passed, 0 declared\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nothing",), "not available here: nothing; there are "),
        (("--only", "test__nothing"), "gevent has no test module test__nothing"),
    ],
)
def test_what_there_is_not_is_refused(scripts: Path, arguments: tuple[str, ...], error: str) -> None:
    done = run(scripts, "", *arguments)
    assert done.returncode == 2
    assert error in done.stderr
