"""Programs as Python scripts: true to the program when run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from script_runs import assert_printed, printed_by

needs_counting = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="finalisers run when the collector does, not at once"
)
needs_posix = pytest.mark.skipif(
    os.name != "posix", reason="Windows has no dup2() of sockets, fork() or SIGUSR1"
)
MARKS = {
    "finalizers": needs_counting,
    **dict.fromkeys(["handled signals", "Ctrl-C", "Ctrl-C of a thread", "Ctrl-C of a child"], needs_posix),
    **dict.fromkeys(["reuse", "signal", "fork", "pipe", "process", "process told"], needs_posix),
}

# What a program is, and the lines that its script prints on a sound loop; "..." stands for any text.
PLAYED: list[tuple[str, list[object], list[str]]] = [
    ("cancelled", [["soon", "c0", [["cancel", "c1"]]], ["soon", "c1", []], ["run"]], ["c0"]),
    ("nested", [["soon", "c0", [["soon", "c2", []]]], ["soon", "c1", []], ["run"]], ["c0", "c1", "c2"]),
    (
        "timers",
        [["later", "c0", 4, []], ["at", "c1", 2, []], ["run"]],
        ["c1 +... ms from its deadline", "c0 after ... ms"],
    ),
    ("again", [["soon", "c0", [["again", 3]]], ["run"]], ["c0"] * 3),
    ("often", [["soon", "c0", [["again", 500]]], ["run"]], ["c0 ran 500 times"]),
    ("timer again", [["later", "c0", 1, [["again", 3]]], ["run"]], ["c0 after ... ms"] * 3),
    ("deadline again", [["at", "c0", 1, [["again", 2]]], ["run"]], ["c0 +... ms from its deadline"] * 2),
    (
        "not yet there",
        [
            ["soon", "c0", [["cancel", "c2"], ["soon", "c1", [["cancel", "c2"]]]]],
            ["soon", "c3", [["soon", "c2", []]]],
            ["run"],
        ],
        ["c0", "c3", "c1"],
    ),
    (
        "probe",
        [["later", "c0", 2, []], ["cancel", "c0"], ["probe", "c0"], ["run"]],
        ["c0 cancelled: True", "c0 when: ..."],
    ),
    (
        "leave",
        [["soon", "c0", []], ["reader", 0, "r", [["recv", 0, 8]]], ["run"], ["soon", "c1", []], ["leave"]],
        [
            "c0",
            "-- the loop is closed",
            "threads more than before the loop: 0",
            *(["fds more than before the loop: 2"] if os.name == "posix" else []),  # those of the pair
        ],
    ),
    ("context", [["setvar", 11], ["soon", "c0", [], 5], ["soon", "c1", []], ["run"]], ["c0 5", "c1 11"]),
    (
        "raise",
        [["soon", "c0", [["raise", "ValueError"]]], ["soon", "c1", []], ["run"]],
        ["c0", "exception handler, 2 ...", "c1"],
    ),
    (
        "broken handler",
        [["handler", "raise"], ["soon", "c0", [["raise", "ValueError"]]], ["run"]],
        ["c0", "exception handler, 2 ..."],
    ),
    (
        "interrupt",
        [["soon", "c0", [["raise", "KeyboardInterrupt"]]], ["soon", "c1", []], ["run"], ["run"]],
        ["c0", "-- left by Key...", "-- the run is over", "c1", "-- the run is over"],
    ),
    (
        "stop",
        [["soon", "c0", [["soon", "c1", []], ["stop"]]], ["run"], ["run"]],
        ["c0", "-- the run is over", "c1", "-- the run is over"],
    ),
    ("bulk", [["bulk", "b", 5, 1, 7], ["cancel_bulk", "b", 2], ["run"]], ["b#0", "b#2", "b#4"]),
    (
        "one of a bulk",
        [["bulk", "b", 3, 1, 0], ["cancel", "b#1"], ["probe", "b#1"], ["run"]],
        ["b#1 cancelled: True", "b#0", "b#2"],
    ),
    (
        "churn",
        [
            ["soon", "churn w", [["bulk", "w", 1000, 20000, 1], ["cancel_bulk", "w", 0], ["again", 3]]],
            ["run"],
            ["measure", "after"],
        ],
        ["churn w"] * 3 + ["after: ... threads, ..."],
    ),
    ("reader", [["reader", 0, "r", [["recv", 0, 1]]], ["send", 0, 3], ["run"]], ["r"] * 3),
    ("never read", [["reader", 0, "r", [], "fd"], ["send", 0, 1], ["run"]], ["r"] * 20),
    (
        "removed",
        [["reader", 0, "r", []], ["send", 0, 1], ["unreader", 0], ["unreader", 0], ["unwriter", 0], ["run"]],
        ["remove_reader: True", "remove_reader: False", "remove_writer: False"],
    ),
    (
        "hang-up",
        [
            ["fill", 0],
            ["writer", 0, "w", [["unwriter", 0]]],
            ["later", "c0", 2, [["drain", 0], ["hangup", 0]]],
            ["run"],
        ],
        ["c0 after ... ms", "w", "remove_writer: True"],
    ),
    (
        "reuse",
        [
            ["reader", 0, "old", [], "fd"],
            [
                "soon",
                "c0",
                [
                    ["send", 0, 1],
                    ["unreader", 0],
                    ["abandon", 0, "dup"],
                    ["reuse", 0],
                    ["reader", 0, "new", [["recv", 0, 8]]],
                ],
            ],
            ["run"],
            ["send", 0, 1],
            ["run"],
        ],
        ["c0", "remove_reader: True", "-- the run is over", "new", "-- the run is over"],
    ),
    (
        "future",
        [
            ["future", "f0"],
            ["on_done", "f0", "c0", []],
            ["cancel_future", "f0", "why"],
            ["resolve", "f0"],
            ["run"],
        ],
        ["f0 cancel(): True", "c0"],
    ),
    (
        "task",
        [
            ["future", "f0"],
            ["task", "t0", [["yield"], ["await", "f0"], ["pause", 1]], 1],
            ["later", "c0", 2, [["cancel_task", "t0", "why"]]],
            ["run"],
        ],
        ["t0 starts", "c0 after ... ms", "t0 cancel(): True", "t0 CancelledError('why')", "t0 ends"],
    ),
    (
        "one task",
        [["soon", "c0", [["task", "t0", []]]], ["soon", "c1", [["task", "t0", []]]], ["run"]],
        ["c0", "c1", "t0"],
    ),
    (
        "threads",
        [["thread", "T", [["block", 3], ["threadsafe", "c0", []]]], ["run"]],
        ["c0"],
    ),
    ("flood", [["thread", "T", [["flood", "x0", 200]]], ["run"]], ["x0 in order, once each: True"]),
    ("ping-pong", [["thread", "T", [["pingpong", "p0", 20]]], ["run"]], ["p0 all 20 came back"]),
    (
        "wrong thread",
        [["debug"], ["thread", "T", [["soon", "c0", []]]], ["run"]],
        ["call_soon: RuntimeError(..."],
    ),
    ("signal", [["on_signal", "s", []], ["soon", "c0", [["signal"]]], ["run"]], ["c0", "s"]),
    (
        "finalizers",
        [["finalize", "f", [], "cancel"], ["finalize", "g", []], ["soon", "c0", []], ["run"]],
        ["f", "g", "c0"],
    ),
    (
        "closed",
        [
            ["close"],
            ["close"],
            ["soon", "c0", []],
            ["attempt", "call_later"],
            ["attempt", "run_until_complete"],
            ["attempt", "is_closed"],
        ],
        [
            "call_soon: RuntimeError(...",
            "call_later: RuntimeError(...",
            "run_until_complete: RuntimeError(...",
            "is_closed: True",
        ],
    ),
    (
        "nested run",
        [["soon", "c0", [["attempt", "run_forever"]]], ["run"]],
        ["c0", "run_forever: RuntimeError(..."],
    ),
    (
        "nested loop",
        [["soon", "c0", [["attempt", "another loop"]]], ["run"]],
        ["c0", "run_another_loop: RuntimeError(..."],
    ),
    ("close inside", [["soon", "c0", [["close"]]], ["run"]], ["c0", "close: RuntimeError(..."]),
    ("another loop", [["attempt", "another loop with threads"]], ["run_another_loop_with_threads: None"]),
    (
        "run until",
        [["future", "f0"], ["soon", "c0", [["stop"]]], ["run_until", "f0"]],
        ["c0", "run_until_complete: RuntimeError(..."],
    ),
    (
        "executor",
        [["executor", "job"], ["close"], ["release", "job"], ["attempt", "is_closed"]],
        ["is_closed: True"],
    ),
    ("strange", [["later", "c0", 1e13, []], ["later", "c1", 1, []], ["run"]], ["call_later: ...", "..."]),
    (
        "handled signals",
        [
            ["add_signal", "SIGUSR1", "s", [["resend", 3]]],
            ["soon", "c0", [["kill", "SIGUSR1"]]],
            ["run"],
            ["remove_signal", "SIGUSR1"],
            ["remove_signal", "SIGUSR1"],
            ["refuse_signal", "add SIGKILL"],
            ["refuse_signal", "add in a thread"],
        ],
        [
            "c0",
            "s ran 3 times",
            "remove_signal_handler: True",
            "remove_signal_handler: False",
            "add_signal_handler: RuntimeError(...",
            "add_signal_handler: RuntimeError(...",
        ],
    ),
    (
        "Ctrl-C",
        [["runner", "main", [["soon", "c0", [["interrupt"]]]], 400]],
        ["c0", "main is cancelled", "main has cleaned up", "the run ended with KeyboardInterrupt()"],
    ),
    *(
        (
            f"Ctrl-C of a {sender}",
            [["later", "c0", 700, []], ["press", sender, 5], ["run"]],
            ["-- left by KeyboardInterrupt()", "-- the run is over"],
        )
        for sender in ("thread", "child")
    ),
    (
        "generators",
        [
            *(["agen", name, 2, kind] for name, kind in [("a", "plain"), ("b", "raises"), ("c", "awaits")]),
            ["soon", "c0", [["iterate", "a"], ["iterate", "b"], ["iterate", "c"]]],
            ["run"],
            ["drop_agen", "a"],
            ["run"],
            ["shutdown_asyncgens"],
        ],
        [
            *("c0", "a gives 0", "b gives 0", "c gives 0"),
            *("-- the run is over", "a is closed", "-- the run is over"),
            *("... is closed", "... is closed", "-- the generators are shut down"),
        ],
    ),
    (
        "executor shut down",
        [
            *(["executor", "job"], ["later", "c0", 2, [["release", "job"]]]),
            *(["shutdown_executor"], ["attempt", "run_in_executor"]),
        ],
        ["c0 after ... ms", "-- the executor is shut down", "run_in_executor: RuntimeError(..."],
    ),
    (
        "failures",
        [
            *(["failing", "f0", "task", 3], ["failing", "f1", "future"], ["run"]),
            *(["ask", "f0"], ["forget", "f0"], ["forget", "f1"]),
        ],
        ["f0 asked: ValueError('f0')", "f0 is forgotten", "f1 is forgotten"],
    ),
    (
        "debug mode",
        [["debug"], ["slow", 5], ["misuse", "call_soon of a number"], ["soon", "c0", []], ["run"]],
        ["call_soon: TypeError(...", "c0"],
    ),
    (
        "refused connection",
        [["refused", 0], ["connect", 0], ["writer", 0, "w", [["unwriter", 0]], "fd"], ["run"]],
        ["w", "remove_writer: True"],
    ),
    (
        "transport's descriptor",
        [["link", 0, "unix"], ["run"], ["watch_link", 0, "add_reader"]],
        ["...connection_made...", "add_reader: RuntimeError(..."],
    ),
    (
        "names",
        [["look_up", "the name of 127.0.0.1"], ["look_up", "nonsense"], ["dial", "rl"], ["dial", "literal"]],
        ["('127.0.0.1', '80')", "gaierror(...", "rl reached number 1", "connected to 127.0.0.1"],
    ),
    (
        "fork",
        [["soon", "c0", [["fork"]]], ["run"]],
        ["c0", "running loop of the child: ...", "the child ended with 0"],
    ),
    (
        "pipe",
        [["read_pipe", 0, "fifo"], ["run"], ["peer_send", 0, 5], ["peer_close", 0], ["run"], ["run"]],
        [
            *("0 connection_made", "-- ...", "0 data_received 5 as sent"),
            *("0 eof_received", "0 connection_lost None", "-- ...", "-- ..."),
        ],
    ),
    (
        "process",
        [["communicate", "p0", "talk", 11, 3], ["run"], ["children"], ["run"]],
        ["p0 ended with 3 after 11 and 11 bytes", "-- the run is over", "no ...", "-- the run is over"],
    ),
    (
        "process told",
        [["communicate", "p0", "echo", 4000, -15], ["run"]],
        ["p0 ended with -15 after 4000 and 0 bytes"],
    ),
    (
        "conversation",
        [
            ["on", 0, "data_received", [["write", 0, 3], ["fail"]]],
            ["link", 0, "unix"],
            ["run"],
            ["peer_send", 0, 2],
            ["run"],
            ["peer_reads", 0],
            ["hear", 0],
        ],
        [
            "0 connection_made",
            "-- the run is over",
            "0 data_received 2 as sent",
            "write: None",
            "0 connection_lost ValueError('raised by the program')",
            "-- the run is over",
            "0 the peer is at the end, it received 3 bytes as written",
        ],
    ),
    (
        "buffered conversation",
        [
            ["protocol", 0, "small buffer"],
            ["keep_open", 0],
            ["link", 0, "client"],
            ["run"],
            ["limits", 0, 8, 2],
            ["look", 0],
            ["peer_send", 0, 70],
            ["peer_eof", 0],
            ["run"],
            ["write", 0, 5, "lines"],
            ["close_link", 0],
            ["peer_reads", 0],
            ["run"],
            ["hear", 0],
        ],
        [
            "0 connection_made",
            "-- the run is over",
            "set_write_buffer_limits: None",
            "0 closing: False, buffered: 0, limits: (2, 8)",
            "0 get_buffer",
            "0 data_received 64 as sent",
            "0 get_buffer",
            "0 data_received 6 as sent",
            "0 get_buffer",
            "0 eof_received",
            "-- the run is over",
            "writelines: None",
            "close: None",
            "0 connection_lost None",
            "-- the run is over",
            "0 the peer is at the end, it received 5 bytes as written",
        ],
    ),
    (
        "server",
        [
            ["serve", 0, "tcp not yet"],
            ["run"],
            ["factory_fails", 0, 1],
            ["server", 0, "start_serving"],
            ["run"],
            ["client", 0, 1],
            ["client", 0, 2],
            ["run"],
            ["server", 0, "wait_closed"],
            ["peer_reset", 2],
            ["server", 0, "close"],
            ["run"],
        ],
        [
            "-- the run is over",
            "server 0 start_serving returned",
            "-- the run is over",
            "2 connection_made",
            "-- the run is over",
            "close: None",
            *("...", "..."),  # connection_lost and wait_closed: before 3.12 the latter waits for nobody
            "-- the run is over",
        ],
    ),
    (
        "file",
        [["link", 0, "tcp"], ["run"], ["sendfile", 0, 9, 4, 0, "native"], ["run"], ["look", 0]],
        [
            "0 connection_made",
            "-- the run is over",
            "0 sendfile: 5",
            "-- the run is over",
            "0 closing: False, buffered: 0, limits: (16384, 65536)",
        ],
    ),
]


@pytest.mark.parametrize(
    ("program", "expected"),
    [pytest.param(*case, id=name, marks=MARKS.get(name, ())) for name, *case in PLAYED],
)
def test_scripts_do_what_the_program_says(program: list[object], expected: list[str], tmp_path: Path) -> None:
    assert_printed(printed_by(program, "asyncio", "loop", tmp_path), expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("CAN-02", ["c0 cancelled(): False", "c1 cancelled(): False", "c1"]),
        ("TMR-05", ["c0 <class 'asyncio.events.TimerHandle'>", "c1 <class 'asyncio.events.Handle'>", "c1"]),
        ("TMR-06", ["c0 when(): ...", "c0 when(): ...", "c1"]),
        pytest.param(
            "HEAP-04", ["c0 is released", "c0 is cancelled", "c1", "c1 is released"], marks=needs_counting
        ),
    ],
)
def test_what_the_broken_rule_asks_of_handles_is_printed(
    rule: str, expected: list[str], tmp_path: Path
) -> None:
    program: list[object] = [["later", "c0", 1, []], ["cancel", "c0"], ["soon", "c1", []], ["run"]]
    assert_printed(printed_by(program, "asyncio", "loop", tmp_path, rule), expected)
