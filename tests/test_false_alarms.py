"""Programs that made the suite blame a sound loop: none of them may do so again."""

import json
import sys

import pytest
from muxloop.cli import main

LARGEST = 65_507

PROGRAMS = [
    pytest.param(
        "RES-02",
        [["executor", "job"], ["executor", "job"], ["leave"]],
        id="two jobs of one name are held up",
    ),
    pytest.param(
        "CAN-11",
        [
            [
                "task",
                "t0",
                [["group", "g0", [["cancel_task", "t0"], ["timeout", "c0", 0, [["yield"]]]]]],
            ],
            ["run"],
        ],
        id="a timeout inside the group takes the cancellation, as CAN-17 tells",
    ),
    pytest.param(
        "DGM-01",
        [
            ["endpoint", 0, "bound"],
            ["run"],
            ["soon", "c0", [["sendto", 0, LARGEST], ["sendto", 0, LARGEST]]],
            ["soon", "c1", [["sendto", 0, 9000], ["sendto", 0, LARGEST]]],
            ["run"],
            ["take_datagrams", 0],
            ["close_endpoint", 0],
            ["run"],
        ],
        id="the kernel drops datagrams that nobody takes",
    ),
    pytest.param(
        "DGM-01",
        [
            ["endpoint", 0, "bound"],
            ["run"],
            ["soon", "c0", [["datagram", 0, LARGEST]] * 6],
            ["run"],
            ["take_datagrams", 0],
            ["close_endpoint", 0],
            ["run"],
        ],
        id="the kernel drops datagrams that come faster than they are read",
    ),
]


@pytest.mark.skipif(sys.platform == "win32", reason="CPython's loop there is another one")
@pytest.mark.parametrize(("rule", "program"), PROGRAMS)
def test_a_sound_loop_is_not_blamed(rule, program):
    assert main(["conform", "asyncio", "--rules", rule, "--strict", "--program", json.dumps(program)]) == 0
