"""Programs about tasks as Python scripts: true to the program when run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from muxloop.conformance.program import as_tuples
from muxloop.conformance.rendering import as_python
from script_runs import assert_printed, printed_by

# A script ends by a timer: a late callback keeps a busy machine from ending it before it is through.
LONG: list[object] = [["later", "c9", 300, []], ["run"]]
LAST = "c9 after ... ms"

# What a program is, and the lines that its script prints on a sound loop; "..." stands for any text.
PLAYED: list[tuple[str, list[object], list[str]]] = [
    (
        "left by a task",
        [
            ["task", "t0", [["yield"], ["leaves", "KeyboardInterrupt"]]],
            *(["run_until", "t0"], ["soon", "c0", []], ["run"]),
        ],
        ["t0 starts", "run_until_complete: KeyboardInterrupt('t0')", "c0", "-- the run is over"],
    ),
    (
        "several of one name",
        [
            ["failing", "f0", "task", 1],
            ["soon", "c0", [["failing", "f0", "future"], ["failing", "f0", "task", 1]]],
            *(["run"], ["ask", "f0"], ["forget", "f0"], ["run"]),
        ],
        [
            *("c0", "-- the run is over", "f0.3 asked: ValueError('f0.3')", "f0.3 is forgotten"),
            "-- the run is over",
        ],
    ),
    (
        "timeout",
        [["task", "t0", [["timeout", "d0", 1, [["pause", 20]]], ["yield"]]], *LONG],
        ["t0 starts", "d0 TimeoutError", "t0 ends", LAST],
    ),
    (
        "rescheduled",
        [
            ["task", "t0", [["timeout", "d0", "none", [["reschedule", "d0", 0], ["yield"]], "at"]]],
            ["run"],
        ],
        ["t0 starts", "reschedule: None", "d0 TimeoutError", "t0 ends"],
    ),
    (
        "waits",
        [
            ["future", "f0"],
            ["task", "t0", [["wait_for", "f0", 1], ["wait", "ALL_COMPLETED", 1, "f0"]]],
            *LONG,
        ],
        ["t0 starts", "t0 TimeoutError", "t0 ends", LAST],
    ),
    (
        "group",
        [
            [
                "task",
                "t0",
                [
                    ["group", "g0", [["group_task", "c0", "g0", [["yield"], ["fails"]]]]],
                    ["cancel_task", "t0"],
                    ["uncancel", "t0"],
                ],
            ],
            ["run"],
        ],
        [
            "t0 starts",
            "c0 starts",
            "g0 (ValueError('c0'),)",
            "t0 cancel(): True",
            "t0 uncancel(): ...",  # 1 before 3.13: gh-116720
            "t0 ends",
        ],
    ),
    (
        "gathered",
        [
            ["future", "f0"],
            ["future", "f1"],
            ["gather", "g0", "all outcomes", "f0", "f1"],
            ["shield", "s0", "f0"],
            ["on_done", "g0", "c0", []],
            ["cancel_future", "s0"],
            ["fail_future", "f0"],
            ["resolve", "f1"],
            ["run"],
        ],
        ["s0 cancel(): True", "c0"],
    ),
    (
        "jobs",
        [
            ["workers", 1],
            ["not_an_executor"],
            [
                "task",
                "t0",
                [["job", "j0", "result"], ["await", "j0"], ["setvar", 4], ["to_thread", "w0", "value"]],
            ],
            ["later", "c0", 400, []],
            ["run"],
        ],
        [
            "set_default_executor: None",
            "set_default_executor: TypeError(...",
            "j0 begins",
            "t0 starts",
            "j0 j0",
            "w0 begins",
            "4",
            "t0 ends",
            "c0 0 after ... ms",
        ],
    ),
    (
        "calls on sockets",
        [
            ["knock", 1],
            [
                "task",
                "t0",
                [["sock_recv", 0, 8], ["sock_sendall", 0, 3], ["sock_accept", 1], ["sock_connect", 1]],
            ],
            ["later", "c0", 2, [["send", 0, 3]]],
            *LONG,
            ["answer", 1],
        ],
        [
            "t0 starts",
            "c0 after ... ms",
            "recv b'xxx'",
            "sendall None",
            "accept (...",
            "connect None",
            "t0 ends",
            "there was ('127.0.0.1', ...",
            LAST,
        ],
    ),
]


@pytest.mark.parametrize(("program", "expected"), [pytest.param(*case, id=name) for name, *case in PLAYED])
def test_what_the_script_prints_is_what_the_program_does(
    program: list[object], expected: list[str], tmp_path: Path
) -> None:
    lines = printed_by(program, "asyncio", "loop", tmp_path)
    assert_printed(sorted(lines), sorted(expected))


def test_who_comes_after_the_generators_are_shut_down_is_warned_in_the_script_too(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    late = [["shutdown_asyncgens"], ["agen", "a0", 2, "plain"], ["iterate", "a0"], ["run"]]
    script.write_text(as_python(as_tuples(late), "asyncio", "loop", "LIF-09"))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert "ResourceWarning: asynchronous generator" in done.stderr
