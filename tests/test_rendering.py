"""Programs as Python scripts: valid and tidy for all there are."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from muxloop.conformance.program import Program
from muxloop.conformance.rendering import LOOP_LINES, SELECTOR_LINES, as_python
from muxloop.conformance.rules import Rule, all_rules
from muxloop.conformance.vocabulary import LOOP_ACTIONS, SELECTOR_ACTIONS

RULES = all_rules()
SUBJECTS = {
    "loop": ["asyncio", "asyncio@poll", "muxloop", "muxloop@select", "uvloop", "acme.loops:new_loop"],
    "selector": ["selector:poll", "selector:selectors:DefaultSelector"],
}
RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")

quick = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def by_id(rule: Rule) -> str:
    return rule.id


@pytest.mark.parametrize("rule", RULES, ids=by_id)
def test_every_program_of_the_rules_is_a_valid_script(rule: Rule) -> None:
    @quick
    @given(rule.programs, st.sampled_from(SUBJECTS[rule.judges]))
    def check(program: Program, subject: str) -> None:
        text = as_python(program, subject, rule.judges, rule.id)
        compile(text, "script.py", "exec", dont_inherit=True)
        assert max(map(len, text.splitlines())) <= 100, text
        assert ("muxloop" in text) == (
            subject.startswith("muxloop") or "@" in subject or subject == "selector:poll"
        )
        defined = [
            node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        ]
        assert len(defined) == len(set(defined)), text

    check()


def some_programs(rule: Rule) -> list[Program]:
    drawn: list[Program] = []

    @settings(quick, max_examples=6)
    @given(rule.programs)
    def draw(program: Program) -> None:
        drawn.append(program)

    draw()
    return drawn


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_scripts_are_formatted_and_use_what_they_import(tmp_path: Path) -> None:
    for rule in RULES:
        for i, program in enumerate(some_programs(rule)):
            text = as_python(program, SUBJECTS[rule.judges][1], rule.judges, rule.id)
            (tmp_path / f"{rule.id.replace('-', '_')}_{i}.py").write_text(text)
    for command in (
        ["check", "--isolated", "--select", "F,E9"],
        ["format", "--isolated", "--line-length", "100", "--diff"],
    ):
        done = subprocess.run(
            [str(RUFF), *command, "--no-cache", str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[:5000] + done.stderr[-500:]


def test_the_whole_vocabulary_can_be_written() -> None:
    assert LOOP_ACTIONS.keys() <= LOOP_LINES.keys()
    assert SELECTOR_ACTIONS.keys() <= SELECTOR_LINES.keys()


@pytest.mark.parametrize(
    "label", ["x0#3", "churn w", "class", "print", "loop", "ours0", "7", "é", 'a "b"', "'", "{x}", "\\"]
)
def test_any_label_makes_a_function_of_its_own(label: str) -> None:
    program: Program = (
        ("soon", label, (("cancel", "c0"),)),
        ("soon", "c0", ()),
        ("soon", f"{label}!", ()),
        ("run",),
    )
    tree = ast.parse(as_python(program, "asyncio", "loop"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(names) == 3
    assert not names & {"print", "loop", "ours0"}


def test_a_shrunk_program_reads_like_one_that_a_person_would_write() -> None:
    program: Program = (("soon", "c0", (("cancel", "c1"),)), ("soon", "c1", ()), ("run",))
    assert as_python(program, "rloop", "loop") == (
        "import rloop\n"
        "\n"
        "loop = rloop.new_event_loop()\n"
        "\n"
        "\n"
        "def c0():\n"
        '    print("c0")\n'
        "    c1_handle.cancel()\n"
        "\n"
        "\n"
        "def c1():\n"
        '    print("c1")\n'
        "\n"
        "\n"
        "loop.call_soon(c0)\n"
        "c1_handle = loop.call_soon(c1)\n"
        "loop.call_later(0.05, loop.stop)\n"
        "loop.run_forever()\n"
    )


@pytest.mark.parametrize(
    ("subject", "expression"),
    [
        ("asyncio", "asyncio.SelectorEventLoop()"),
        ("asyncio@poll", 'asyncio.SelectorEventLoop(muxloop.open_selector("poll"))'),
        ("muxloop@kqueue", 'muxloop.new_event_loop("kqueue")'),
        ("uvloop", "uvloop.new_event_loop()"),
        ("a.b:C.make", "a.b.C.make()"),
        ("selector:epoll", 'muxloop.open_selector("epoll")'),
        ("selector:a.b:Poller", "a.b.Poller()"),
    ],
)
def test_subjects_are_built_as_their_users_build_them(subject: str, expression: str) -> None:
    judges = "selector" if subject.startswith("selector:") else "loop"
    assert f"{judges} = {expression}\n" in as_python((), subject, judges)
