"""Programs about selectors as Python scripts: true to the program when run."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest
from muxloop.conformance.file_kinds import KINDS
from script_runs import assert_printed, printed_by

PLAIN = "poll" if hasattr(select, "poll") else "select"
SUBJECTS = [f"selector:selectors:{PLAIN.title()}Selector", f"selector:{PLAIN}"]

needs_posix = pytest.mark.skipif(
    os.name != "posix", reason="Windows watches no pipes, and has no dup2() of sockets, fork() or setitimer()"
)
ON_POSIX = {"reuse", "pipes", "duplicates", "closed files", "fork", "closed selector", "alarm"}

# What a program is, and the lines that its script prints; "..." stands for any text.
SELECTED: list[tuple[str, list[object], list[str]]] = [
    (
        "select",
        [
            ["register", 0, "rw"],
            ["send", 0, 1],
            ["select", 0],
            ["fill", 0],
            ["recv", 0, 9],
            ["select", 1],
            ["drain", 0],
            ["select", 0],
        ],
        [
            "select(0) after ...: {'ours0': 3}",
            "select(0.001) after ...: {}",
            "select(0) after ...: {'ours0': 2}",
        ],
    ),
    (
        "changes",
        [
            ["register", 0, "r"],
            ["register", 0, "w"],
            ["modify", 0, "w"],
            ["modify", 1, "r"],
            ["map"],
            ["unregister", 0],
            ["unregister", 0],
        ],
        [
            "register: KeyError(...",
            "modify: KeyError(...",
            "1 keys",
            "SelectorKey(... True",
            "unregister: KeyError(...",
        ],
    ),
    (
        "refused",
        [["refuse", "register twice"], ["refuse", "register no events"], ["refuse", "register closed"]],
        [
            "register: KeyError(...",
            "0 keys",
            "register: ValueError(...",
            "0 keys",
            "register: ValueError(...",
            "0 keys",
        ],
    ),
    (
        "reuse",
        [
            ["register", 0, "r"],
            ["abandon", 0],
            ["forget", 0],
            ["reuse", 0],
            ["register", 0, "r"],
            ["send", 0, 1],
            ["select", 1],
        ],
        ["select(0.001) after ...: {'ours0': 1}"],
    ),
    (
        "hang-up",
        [["register", 0, "r"], ["shutdown", 0], ["hangup", 0], ["send", 0, 1], ["select", 1]],
        ["select(0.001) after ...: {'ours0': 1}"],
    ),
    (
        "pipes",
        [
            ["open", 0, "pipe r"],
            ["open", 1, "pipe w"],
            ["register", 0, "r"],
            ["register", 1, "w"],
            ["send", 0, 1],
            ["select", 1],
            ["recv", 0, 8],
            ["fill", 1],
            ["select", 0],
            ["drain", 1],
            ["hangup", 0],
            ["select", 1],
        ],
        [
            "select(0.001) after ...: {'ours0': 1, 'ours1': 2}",
            "select(0) after ...: {}",
            "select(0.001) after ...: {'ours0': 1, 'ours1': 2}",
        ],
    ),
    (
        "duplicates",
        [
            ["open", 0, "pipe r"],
            ["dup", 0, 3],
            ["register", 0, "r"],
            ["register", 3, "r"],
            ["send", 0, 1],
            ["select", 0],
            ["unregister", 0],
            ["abandon", 0],
            ["select", 0],
        ],
        ["select(0) after ...: {'ours0': 1, 'ours3': 1}", "select(0) after ...: {'ours3': 1}"],
    ),
    (
        "closed files",
        [
            ["register", 0, "r"],
            ["abandon", 0, "dup"],
            ["forget", 0],
            ["reuse", 0, "pipe r"],
            ["register", 0, "r"],
            ["send", 0, 1],
            ["select", 0],
            ["unregister", 0],
            ["reuse", 0],
            ["register", 0, "w"],
            ["settle"],
            ["select", 0],
        ],
        ["select(0) after ...: {'ours0': 1}", "select(0) after ...: {'ours0': 2}"],
    ),
    (
        "directions",
        [
            *(["register", 0, "r"], ["shutdown", 0, "ours w"], ["select", 0]),
            *(["shutdown", 0, "ours r"], ["select", 0]),
            *(["register", 1, "r"], ["shutdown", 1], ["unregister", 0], ["select", 0]),
        ],
        [
            "select(0) after ...: {}",
            "select(0) after ...: {'ours0': 1}",
            "select(0) after ...: {'ours1': 1}",
        ],
    ),
    (
        "connections",
        [
            *(["open", 0, "client"], ["connect", 0], ["register", 0, "w"]),
            *(["open", 1, "listener"], ["register", 1, "r"], ["select", 0]),
            *(["send", 1, 2], ["recv", 1, 1], ["select", 0], ["recv", 1, 1], ["select", 0]),
        ],
        [
            "select(0) after ...: {'ours0': 2}",
            "select(0) after ...: {'ours0': 2, 'ours1': 1}",
            "select(0) after ...: {'ours0': 2}",
        ],
    ),
    (
        "fork",
        [["register", 0, "r"], ["fork", [["unregister", 0], ["close"]]], ["send", 0, 1], ["select", 0]],
        ["select(0) after ...: {'ours0': 1}"],
    ),
    (
        "closed selector",
        [["another"], ["close"], ["close"], ["attempt", "get_key"], ["attempt", "close"]],
        ["0 more files than before"] * 2 + ["get_key: ...Error(...", "close: None"],
    ),
    ("many", [["many", 30], ["select", 5]], ["select(0.005) after ...: 30 ready, 30 so far"]),
    (
        "alarm",
        [["register", 0, "r"], ["alarm", 2], ["select", 8]],
        ["the signal arrives", "select(0.008) after ...: {}"],
    ),
    (
        "wake",
        [["register", 0, "r"], ["wake", 0, 2], ["select", "none"]],
        ["select(None) after ...: {'ours0': 1}"],
    ),
]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(
    ("program", "expected"),
    [pytest.param(*case, id=name, marks=[needs_posix] * (name in ON_POSIX)) for name, *case in SELECTED],
)
def test_scripts_about_selectors(
    program: list[object], expected: list[str], subject: str, tmp_path: Path
) -> None:
    assert_printed(printed_by(program, subject, "selector", tmp_path), expected)


KINDS_HEARD = {
    "socket": 3, "tcp": 3, "pipe r": 1, "fifo r": 1, "terminal": 3, "tty": 3, "listener": 1, "udp": 3,
    "datagrams": 3, "eventfd": 3, "timerfd": 1, "file": 3, "directory": 3, "null": 3,
}  # fmt: skip
KINDS_FILLED = {"pipe w": 2, "fifo w": 2, "socket": 2, "tcp": 2, "datagrams": 2, "eventfd": 3}


@pytest.mark.parametrize("kind", [kind for kind in KINDS_HEARD if KINDS[kind].available])
def test_a_file_of_every_kind_hears_from_its_peer(kind: str, tmp_path: Path) -> None:
    program = [["open", 0, kind], ["register", 0, "rw"], ["send", 0, 1], ["select", 1000]]
    program += [["recv", 0, 8], ["recv", 0, 8], ["hangup", 0], ["select", 0]]
    first, _ = printed_by(program, SUBJECTS[1], "selector", tmp_path)
    mask = int(first.partition("{'ours0': ")[2].rstrip("}"))
    # A terminal passes on what it hears in its own time.
    assert mask in {KINDS_HEARD[kind], 2 if kind in ("terminal", "tty") else 0}


@pytest.mark.parametrize("kind", [kind for kind in KINDS_FILLED if KINDS[kind].available])
def test_a_file_of_every_kind_can_be_full(kind: str, tmp_path: Path) -> None:
    program = [["open", 0, kind], ["fill", 0], ["register", 0, "w"], ["select", 0], ["recv", 0, 8]]
    program += [["drain", 0], ["select", 1000], ["shutdown", 0], ["hangup", 0], ["select", 0]]
    full, room, _ = printed_by(program, SUBJECTS[1], "selector", tmp_path)
    assert full.endswith(": {}")
    assert room.endswith(": {'ours0': 2}")


@needs_posix
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.available])
def test_a_number_can_pass_to_a_file_of_every_kind(kind: str, tmp_path: Path) -> None:
    program = [["open", 0, kind], ["reuse", 0, kind], ["connect", 0], ["abandon", 0, "dup"], ["select", 0]]
    (line,) = printed_by(program, SUBJECTS[1], "selector", tmp_path)
    assert line.endswith(": {}")


@pytest.mark.parametrize("failure", ["register dead fd", "register regular file", "modify dead fd"])
def test_calls_that_the_kernel_may_refuse_never_end_the_script(failure: str, tmp_path: Path) -> None:
    subject = "selector:epoll" if hasattr(select, "epoll") else SUBJECTS[1]
    lines = printed_by([["fail", failure], ["select", 0]], subject, "selector", tmp_path)
    assert lines[-1].startswith("select(0) after")
    assert len(lines) >= 2
