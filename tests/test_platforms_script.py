"""ci/platforms.sh: the line it prints about each platform, its exit code, what an interruption ends."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from source_tree import ROOT

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("bash"), reason="for bash on Linux"
)

KIND = """\
#!/usr/bin/env bash
echo "$1 $2" >>"$MUXLOOP_PLATFORMS_DIR/steps"
case $1-$2 in
    run-i386) printf 'RESULT\\tCPython 3.11.2\\tLinux | i686\\tepoll poll\\t7 passed\\tall held\\n' ;;
    run-arm64) printf 'RESULT\\tCPython 3.11.2\\tLinux aarch64\\tepoll\\t1 failed\\tall held\\n'; exit 1 ;;
    up-s390x) printf 'SKIPPED\\tneeds root\\n'; exit 77 ;;
    run-pypy3.11) printf 'SKIPPED\\tno network\\n'; exit 77 ;;
    up-cpython3.14) exit 77 ;;
    run-cpython3.15) echo 'no result' ;;
    run-kqueue-emulated) bash -c 'echo $$ >"$MUXLOOP_PLATFORMS_DIR/waits"; exec sleep 1000' ;;
esac
"""

HEADER = "platform | interpreter | system | backends | tests | conformance | seconds"


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts the script in a work tree where each kind of platform does what KIND says."""
    folder = tmp_path / "ci" / "platforms"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "ci" / "platforms.sh", tmp_path / "ci")
    for kind in ("debian_folder", "emulated_cpu", "kqueue_emulated", "wine"):
        (folder / f"{kind}.sh").write_text(KIND)
        (folder / f"{kind}.sh").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "MUXLOOP_PLATFORMS_DIR"}

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [tmp_path / "ci" / "platforms.sh", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    """Its exit code, the lines on its standard output, each without its seconds, and its complaints."""
    out, err = process.communicate(timeout=60)
    return process.returncode, [line.rpartition(" | ")[0] for line in out.splitlines()], err


def is_running(pid: int) -> bool:
    """False for a zombie, too: who reaps an orphan is not up to the script."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_platform_is_made_then_tried_and_told_in_a_line(start, tmp_path):
    code, lines, _ = ended(start("i386"))
    assert code == 0
    assert lines == [
        HEADER.rpartition(" | ")[0],
        "i386 | CPython 3.11.2 | Linux | i686 | epoll poll | 7 passed | all held",
    ]
    assert (tmp_path / ".platforms" / "steps").read_text() == "up i386\nrun i386\n"


def test_a_failure_is_the_exit_code_and_names_the_log_and_the_rest_is_still_tried(start, tmp_path):
    code, lines, complaint = ended(start("arm64", "i386"))
    assert code == 1
    assert [line.split(" | ")[0] for line in lines] == ["platform", "arm64", "i386"]
    log = tmp_path / ".platforms" / "arm64.log"
    assert f"arm64 failed; read {log}" in complaint
    assert "1 failed" in log.read_text()


@pytest.mark.parametrize(("platform", "reason"), [("s390x", "needs root"), ("pypy3.11", "no network")])
def test_what_cannot_be_had_is_skipped_with_the_reason_and_fails_only_where_that_is_asked_for(
    start, platform, reason
):
    code, lines, _ = ended(start(platform))
    assert code == 0
    assert lines[1].startswith(f"{platform} | skipped: {reason}")
    code, lines, complaint = ended(start("--strict", platform))
    assert code == 1
    assert f"skipped: {reason}" in lines[1]
    assert f"{platform} failed" in complaint


@pytest.mark.parametrize("platform", ["cpython3.14", "cpython3.15"])
def test_a_platform_that_says_nothing_has_not_passed(start, platform):
    code, lines, _ = ended(start(platform))
    assert code == 1
    assert lines[1].startswith(
        f"{platform} | failed: exit code {77 if platform == 'cpython3.14' else 0} and no result"
    )


def test_the_table_can_be_had_for_a_document(start, tmp_path):
    table = tmp_path / "table.md"
    code, _, _ = ended(start("--markdown", str(table), "i386", "s390x"))
    assert code == 0
    header, rule, *rows = table.read_text().splitlines()
    assert header == f"| {HEADER} |"
    # A bar within a cell would end it.
    assert [line.replace("\\|", "").count("|") for line in (rule, *rows)] == [8, 8, 8]
    assert "Linux \\| i686" in rows[0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "no platform named; there are: cpython3.14"),
        (("i486",), "i486: no such platform; there are: cpython3.14"),
        (("i386 arm64",), "i386 arm64: no such platform"),
        (("--markdown",), "--markdown: no file given"),
    ],
)
def test_what_it_does_not_understand_is_refused_before_anything_is_done(
    start, tmp_path, arguments, complaint
):
    code, lines, told = ended(start(*arguments))
    assert (code, lines) == (2, [])
    assert complaint in told
    assert not (tmp_path / ".platforms").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_what_runs(start, tmp_path, number):
    process = start("kqueue-emulated", "i386")
    waits = tmp_path / ".platforms" / "waits"
    while not waits.exists() or not waits.read_text().endswith("\n"):
        assert process.poll() is None
    process.send_signal(number)
    code, lines, complaint = ended(process)
    assert (code, lines) == (130, [])
    assert "interrupted" in complaint
    while is_running(int(waits.read_text())):  # its end has been ordered, not awaited
        pass
    assert (tmp_path / ".platforms" / "steps").read_text() == "up kqueue-emulated\nrun kqueue-emulated\n"


@pytest.fixture
def names() -> list[str]:
    listed = subprocess.run(
        [ROOT / "ci" / "platforms.sh", "--list"], capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


def test_tox_has_an_environment_for_each(names):
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert f"platform_{{{', '.join(names)}}}" in tox["tox"]["labels"]
    commands = tox[f"testenv:platform_{{{', '.join(names)}}}"]["commands"].strip().splitlines()
    assert commands == [f"platform_{name}: {{tox_root}}/ci/platforms.sh {{posargs}} {name}" for name in names]


def test_the_workflow_has_a_job_for_each(names):
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    listed = re.search(r"^ +platform:\n((?: +- \S+\n)+)", workflow, re.MULTILINE)
    assert listed
    assert re.findall(r"- (\S+)", listed[1]) == names
