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
    (
        "datagrams",
        [
            *(["post", 0, 300], ["task", "t0", [["sock_recvfrom", 0, 7], ["sock_recvfrom_into", 0, 500, 0]]]),
            *(["task", "t1", [["sock_sendto", 1, 0, 3]]], ["run"]),
        ],
        [
            "t0 starts",
            "box 0 got 7 bytes from stranger",
            "t1 starts",
            "t1 ends",
            "box 0 got 3 bytes from 1",
            "t0 ends",
        ],
    ),
    (
        "carried",
        [["task", "t0", [["carry", 500000, 60000, "sock_recv_into"], ["carry", 9, 4, "sock_recv"]]], ["run"]],
        [
            *("t0 starts", "sock_recv_into: 500000 of 500000 bytes, as sent"),
            *("sock_recv: 9 of 9 bytes, as sent", "t0 ends"),
        ],
    ),
    (
        "contradictions",
        [
            *(["contradict", "create_connection: host and sock"], ["serve_afterwards", "serve_forever"]),
            ["contradict", "create_server: ssl=True"],
        ],
        ["create_connection ValueError(...", "serve_forever RuntimeError(...", "create_server TypeError(..."],
    ),
]


@pytest.mark.parametrize(
    ("program", "expected"),
    [pytest.param(*case, id=name, marks=MARKS.get(name, ())) for name, *case in PLAYED],
)
def test_scripts_do_what_the_program_says(program: list[object], expected: list[str], tmp_path: Path) -> None:
    assert_printed(printed_by(program, "asyncio", "loop", tmp_path), expected)
