"""Whatever docs/in-your-ci.md tells people to paste does what it says, and so does the action."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from ci_steps import ACTION, Machine, run_action, run_job
from muxloop.conformance.report import read_json
from pages import blocks_of, text_of

yaml = pytest.importorskip("yaml", reason="needs PyYAML, which has no wheel here")

pytestmark = pytest.mark.skipif(os.name != "posix" or not shutil.which("bash"), reason="needs bash")

PAGE = "docs/in-your-ci.md"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.in_folder(tmp_path)


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    return loaded


def block(language: str, text: str) -> str:
    """The one block of the page in that language which holds the text."""
    (found,) = [block for block in blocks_of(PAGE, language) if text in block]
    return found


def test_every_block_is_tested() -> None:
    fences = re.findall(r"^```(\w+)$", text_of(PAGE), re.MULTILINE)
    assert sorted(fences) == ["ini", "sh", "sh", "sh", "toml", "yaml", "yaml", "yaml"]


def test_the_command(machine: Machine) -> None:
    done = machine.run(block("sh", "--html"))
    assert done.code == 0, done.text
    assert "mypackage:new_event_loop holds every rule" in done.text
    assert machine.installed == ["pip install muxloop[conformance]"]
    assert {path.name for path in machine.folder.iterdir()} >= {"conformance.html", "conformance.xml"}


def test_the_workflow_with_the_action(machine: Machine, action: dict[str, Any]) -> None:
    workflow = yaml.safe_load(block("yaml", "muxloop/action@main"))
    (job,) = workflow["jobs"].values()
    done = run_job(machine, job, action)
    assert [step.code for step in done] == [0, 0], done
    assert machine.installed == ["pip install .", "pip install muxloop[conformance]"]
    assert machine.summary.startswith("# mypackage:new_event_loop holds every rule\n")
    assert machine.outputs == {"exit-code": "0", "reports": "muxloop-reports"}
    kept = {path.name for path in (machine.folder / "muxloop-reports").iterdir()}
    assert kept == {"report.json", "report.html", "report.md", "junit.xml"}


def test_the_workflow_that_is_split(machine: Machine, action: dict[str, Any]) -> None:
    workflow = yaml.safe_load(block("yaml", "--shard"))
    shard, merge = workflow["jobs"].values()
    for number in shard["strategy"]["matrix"]["shard"]:
        known = {"matrix.shard": str(number), "github.run_number": "7"}
        assert {step.code for step in run_job(machine, shard, action, **known)} == {0}
    assert [step.code for step in run_job(machine, merge, action)] == [0, 0]
    assert machine.summary.startswith("# mypackage:new_event_loop holds every rule\n")
    parts = [read_json(machine.folder / f"shard-{number}.json") for number in (1, 2)]
    assert [[v.rule for v in part.subjects[0].results] for part in parts] == [["ORD-03"], ["TMR-07"]]


def test_the_gitlab_job(machine: Machine) -> None:
    job = yaml.safe_load(block("yaml", "reports:\n      junit"))["conformance"]
    done = machine.run("\n".join(job["script"]))
    assert done.code == 0, done.text
    for path in [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]:
        assert (machine.folder / path).stat().st_size


def test_the_pytest_command(machine: Machine) -> None:
    done = machine.run(block("sh", "pytest "))
    assert done.code == 0, done.text
    assert "1 passed" in done.text
    assert 'classname="mypackage:new_event_loop" name="ORD-03"' in (machine.folder / "tests.xml").read_text()


def test_the_pytest_settings(machine: Machine) -> None:
    (machine.folder / "pyproject.toml").write_text(block("toml", "addopts"))
    (machine.folder / "test_mine.py").write_text("def test_mine(): pass\n")
    done = machine.run("pytest --muxloop-rules=ORD-03,TMR-04 -v")
    assert done.code == 0, done.text
    assert "mypackage:new_event_loop::ORD-03 PASSED" in done.text
    assert "2 passed, 1 deselected" in done.text


def test_the_tox_environment(machine: Machine) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(block("ini", "testenv"))
    environment = parser["testenv:conform"]
    assert environment["deps"] == "muxloop[conformance]"
    # What tox would replace; it starts no shell.
    known = {"{env_tmp_dir}": str(machine.folder), "{/}": os.sep, "{posargs}": ""}
    command = re.sub(r"\{[^}]+\}", lambda found: known[found[0]], environment["commands"])
    done = machine.run(shlex.join(shlex.split(command)))
    assert done.code == 0, done.text
    assert (machine.folder / "conformance.html").exists()


def test_the_comparison_with_the_last_run(machine: Machine) -> None:
    done = machine.run(block("sh", "--compare"))
    assert done.code == 0, done.text
    assert "Compared with last.json: No verdict has changed" in done.text
    assert "## Compared with `last.json`" in (machine.folder / "changes.md").read_text("utf-8")


def test_a_broken_rule_fails_the_step_after_all_is_written(machine: Machine, action: dict[str, Any]) -> None:
    last = machine.folder / "last.json"
    last.write_text(json.dumps(EARLIER))
    inputs = {"subjects": "mypackage:Timeless", "rules": "TMR-07", "profile": "quick", "requirement": ""}
    done = run_action(machine, action, {**inputs, "compare": last.name})
    assert done.code == 1, done.text
    assert machine.outputs["exit-code"] == "1"
    assert machine.installed == []
    assert machine.summary.startswith("# mypackage:Timeless fails\n")
    assert "### ❌ TMR-07 (level R): broken, fails" in machine.summary
    assert "## Compared with `last.json`" in machine.summary


EARLIER = {
    "schema": 1,
    "rules_version": "1",
    "seed": 1,
    "profile": "quick",
    "environment": {},
    "subjects": [],
    "stale_declarations": [],
    "duration_s": 1,
}


@pytest.mark.parametrize("subjects", ["", " \n "])
def test_no_subject_is_bad_usage(subjects: str, machine: Machine, action: dict[str, Any]) -> None:
    done = run_action(machine, action, {"subjects": subjects})
    assert done.code == 2
    assert "::error::subjects: names nothing" in done.text


def test_an_input_is_never_run(machine: Machine, action: dict[str, Any]) -> None:
    hostile = '$(touch run) `touch run` "; touch run; "'
    done = run_action(machine, action, {name: hostile for name in action["inputs"] if name != "python"})
    assert machine.installed == [f"pip install {hostile}"]
    assert "muxloop: " in done.text
    assert done.code == 2
    assert not list(machine.folder.rglob("run"))


def test_the_script_of_the_action_can_be_run() -> None:
    script = ACTION / "judge.sh"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text("utf-8").splitlines()


def test_the_page_names_every_input_and_output(action: dict[str, Any]) -> None:
    told = re.findall(r"`([\w-]+)`", text_of(PAGE))
    assert {*action["inputs"], *action["outputs"]} <= set(told)
