"""What a CI server does with a workflow or an action, done here: its scripts, run by bash in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pages import ROOT

ACTION = ROOT / "action"

PACKAGE = """
import asyncio


def new_event_loop():
    return asyncio.SelectorEventLoop()


class Timeless(asyncio.SelectorEventLoop):
    def time(self):
        return int(super().time())
"""

IN_ONE_PROCESS = """left=$#
while [ "$left" -gt 0 ]; do
    word=$1 && shift && left=$((left - 1))
    case "$word" in -n) shift && left=$((left - 1)) ;; *) set -- "$@" "$word" ;; esac
done
"""
"""Takes -n and its number out of the arguments: to start processes costs more than two quick rules do."""

COMMANDS = {
    "pip": 'echo "pip $*" >>"$INSTALLED"',
    # What comes first gives way to what the page says.
    "muxloop": f"""{IN_ONE_PROCESS}
case "$*" in *--merge*) exec "$REAL" -m muxloop "$@" ;; esac
shift && exec "$REAL" -m muxloop conform --profile quick --rules ORD-03,TMR-07 "$@" """,
    "pytest": f"""{IN_ONE_PROCESS}
exec "$REAL" -m pytest -p no:cacheprovider --muxloop-profile=quick --muxloop-rules=ORD-03 "$@" """,
    "python": """module=$2 && shift 2 && exec "$module" "$@" """,
}
"""Stand-ins: nothing is installed from the network, and two quick rules stand for all."""


@dataclass
class Done:
    """What a step came to."""

    code: int
    text: str


@dataclass
class Machine:
    """A folder with a package to judge, and the commands that pages call."""

    folder: Path
    outputs: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path) -> Machine:
        commands = folder / "bin"
        commands.mkdir()
        for name, body in COMMANDS.items():
            (commands / name).write_text(f"#!{shutil.which('sh')}\n{body}\n")
            (commands / name).chmod(0o755)
        work = folder / "work"
        work.mkdir()
        (work / "mypackage.py").write_text(PACKAGE)
        return cls(work)

    @property
    def installed(self) -> list[str]:
        """The calls of pip, in order."""
        path = self.folder.parent / "installed"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def summary(self) -> str:
        """What the page of the run shows."""
        path = self.folder.parent / "summary"
        return path.read_text("utf-8") if path.exists() else ""

    def run(self, script: str, **variables: str) -> Done:
        """Run a script as GitHub does a step with ``shell: bash``."""
        around = self.folder.parent
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))},
            "PATH": f"{around / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "REAL": sys.executable,
            "INSTALLED": str(around / "installed"),
            "MUXLOOP_DATABASE": "none",
            "GITHUB_STEP_SUMMARY": str(around / "summary"),
            "GITHUB_OUTPUT": str(around / "output"),
            "GITHUB_ACTION_PATH": str(ACTION),
            **variables,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if (around / "output").exists():
            self.outputs.update(
                line.split("=", 1) for line in (around / "output").read_text().splitlines() if "=" in line
            )
        return Done(done.returncode, done.stdout + done.stderr)


def run_action(machine: Machine, action: dict[str, Any], given: dict[str, Any]) -> Done:
    """Run the steps of a composite action that are scripts, until one fails."""
    inputs = {name: str(about.get("default", "")) for name, about in action["inputs"].items()}
    required = {name for name, about in action["inputs"].items() if about.get("required")}
    assert required <= given.keys() <= inputs.keys()
    inputs.update({name: str(value) for name, value in given.items()})
    known = {f"inputs.{name}": value for name, value in inputs.items()}
    done = Done(0, "")
    for step in action["runs"]["steps"]:
        wanted = step.get("if") != "inputs.requirement != ''" or inputs["requirement"]
        if "run" in step and wanted and done.code == 0:
            variables = {name: filled(text, known) for name, text in step.get("env", {}).items()}
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], "an input would be run as a part of the script"
            done = machine.run(step["run"], **variables)
    return done


def run_job(machine: Machine, job: dict[str, Any], action: dict[str, Any], **known: str) -> list[Done]:
    """Run a job of a workflow: its scripts, and our action; actions of others do nothing here."""
    done = []
    for step in job["steps"]:
        if "run" in step:
            done.append(machine.run(filled(step["run"], known)))
        elif step["uses"].endswith("/muxloop/action@main"):
            done.append(run_action(machine, action, step["with"]))
    return done


def filled(text: str, known: dict[str, str]) -> str:
    """The text with GitHub's expressions replaced by their values; KeyError for one that is unknown."""
    return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: known[found[1]], text)
