"""--programs DIR: what failed, each program in a file of its own that says what it shows."""

import subprocess
import sys

import pytest
from muxloop.cli import main
from muxloop.conformance.report import check_folder, write_programs
from muxloop.conformance.verdict import SubjectReport
from muxloop.errors import UsageError
from test_report_samples import bad, sample_report, witness

LOOP = """
import asyncio


class Deaf(asyncio.Handle):
    def cancel(self):
        pass


class Loop(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        handle = Deaf(callback, args, self, context)
        self._ready.append(handle)
        return handle
"""


def test_each_program_is_a_script_that_says_what_it_shows(tmp_path, monkeypatch, capsys):
    (tmp_path / "deaf_loop.py").write_text(LOOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    command = ["conform", "deaf_loop:Loop", "--rules", "CAN-01", "--profile", "quick", "--seed", "1"]
    assert main([*command, "--programs", "found/programs"]) == 1
    (file,) = (tmp_path / "found" / "programs").iterdir()
    assert file.name == "CAN-01_deaf_loop-Loop.py"
    text = file.read_text("utf-8")
    first, *_, last = text.splitlines()
    assert first.startswith("# CAN-01: expected: c0 never runs: it was cancelled before; seen: c0 ran")
    assert last.startswith("# muxloop conform deaf_loop:Loop --rules CAN-01 --program ")
    assert first in capsys.readouterr().out
    run = subprocess.run(
        [sys.executable, str(file)],
        env={"PYTHONPATH": "."},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "c0" in run.stdout


def test_what_is_declared_or_held_is_left_out_unless_the_run_is_strict(tmp_path):
    verdicts = [bad("s", "TMR-01"), bad("s", "ORD-02"), bad("s", "IO-03", declared="known")]
    report = sample_report(SubjectReport("s", "1", None, verdicts))
    assert write_programs(report, tmp_path) == ["TMR-01_s.py", "ORD-02_s.py"]
    assert "IO-03_s.py" in write_programs(report, tmp_path, strict=True)


def test_no_name_is_given_twice_and_none_leaves_the_folder(tmp_path):
    names = ["a:b", "a-b", "../../etc/passwd", "x" * 500]
    report = sample_report(*(SubjectReport(name, "1", None, [bad(name, "TMR-01")]) for name in names))
    written = write_programs(report, tmp_path)
    assert written[:3] == ["TMR-01_a-b.py", "TMR-01_a-b_2.py", "TMR-01_..-..-etc-passwd.py"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(written)


def test_a_file_of_an_earlier_run_is_replaced(tmp_path):
    for text in ("first()", "second()"):
        verdict = bad("s", "TMR-01", witness=witness(python=text))
        write_programs(sample_report(SubjectReport("s", "1", None, [verdict])), tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.read_text().startswith("second()\n")


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("", "the path is empty; name a folder"),
        ("taken", "it is no folder"),
        ("taken/below", "Not a directory"),
        ("nul\0", "cannot write programs to"),
    ],
)
def test_a_folder_that_cannot_be_had_is_told_before_the_run(tmp_path, monkeypatch, folder, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UsageError, match="cannot write programs to ") as refused:
        check_folder(folder)
    assert told in str(refused.value)


def test_the_command_refuses_it_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    assert main(["conform", "hostile_factories:raises", "--programs", "taken"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "muxloop: cannot write programs to 'taken': it is no folder"
