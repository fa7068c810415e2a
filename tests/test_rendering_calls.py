"""Programs about single calls of a loop as Python scripts: true to the program when run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from script_runs import assert_printed, printed_by

needs_eager = pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks")
MARKS = {"eager task": needs_eager}

# What a program is, and the lines that its script prints on a sound loop; "..." stands for any text.
PLAYED: list[tuple[str, list[object], list[str]]] = [
    (
        "task factory",
        [
            *(["task_factory", "noting"], ["made_by", "c0", "create_task(name, context)", [["yield"]]]),
            *(["task_factory", "no callable"], ["task_factory", "default"]),
            *(["made_by", "c1", "ensure_future", []], ["run"]),
        ],
        [
            *("the factory is asked for c0 ['context'...]", "c0 is made, done: False"),
            *("set_task_factory: TypeError(...", "c1 is made, done: False"),
            *("c0 starts", "c1", "c0 ends"),
        ],
    ),
    (
        "eager task",
        [["soon", "c0", [["task_factory", "eager"], ["made_by", "c1", "create_task", []]]], ["run"]],
        ["c0", "c1", "c1 is made, done: True"],
    ),
]


@pytest.mark.parametrize(
    ("program", "expected"),
    [pytest.param(*case, id=name, marks=MARKS.get(name, ())) for name, *case in PLAYED],
)
def test_scripts_do_what_the_program_says(program: list[object], expected: list[str], tmp_path: Path) -> None:
    assert_printed(printed_by(program, "asyncio", "loop", tmp_path), expected)
