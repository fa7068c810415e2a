"""docs/backends.md and the tests that hold it: neither says what the other does not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, blocks_of, printed_by, text_of

PAGE = "docs/backends.md"
HOLDERS = sorted(Path(__file__).parent.glob("test_one_behaviour_*.py"))
NAMED = re.compile(r"`(test_\w+\.py)::([\w:]+)`")


def names_of_tests(path: Path) -> set[str]:
    """Its tests as pytest names them, ``Class::method`` included."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{prefix}{test.name}" for test in inner if isinstance(test, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def test_every_situation_names_the_tests_that_hold_it():
    _, _, rows = text_of(PAGE).partition("## One behaviour\n")
    rows, _, _ = rows.partition("\n## ")
    for row in rows.split("\n### ")[1:]:
        assert NAMED.search(row), row
        assert "*Why:*" in row or "errnos.md" in row, row
        for file, name in NAMED.findall(row):
            assert name in names_of_tests(ROOT / "tests" / file), f"there is no {file}::{name}"


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda path: path.stem)
def test_every_test_of_a_situation_is_named(holder):
    named = {name for file, name in NAMED.findall(text_of(PAGE)) if file == holder.name}
    assert names_of_tests(holder) == named


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the list was printed on Linux")
def test_the_list_of_backends_is_what_the_command_prints():
    (page,) = re.findall(r"```console\n\$ muxloop backends\n(.*?)```", text_of(PAGE), re.DOTALL)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUXLOOP_")}
    command = [sys.executable, "-m", "muxloop", "backends"]
    printed = subprocess.check_output(command, env=environment, text=True).splitlines()
    # Whether io_uring is allowed is a setting, and plug-ins may be installed.
    wanted = [line for line in page.splitlines() if not line.startswith("uring")]
    assert [line for line in printed if line in wanted] == wanted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the code is for POSIX systems")
@pytest.mark.parametrize("number", range(3))
def test_the_code_runs_as_it_stands(number, tmp_path):
    blocks = blocks_of(PAGE)
    assert len(blocks) == 3
    script = tmp_path / "example.py"
    script.write_text(blocks[number], encoding="utf-8")
    assert "never called" not in printed_by(script)
