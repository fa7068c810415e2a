"""Programs that made the suite blame a sound loop: none of them may do so again."""

import asyncio
import json
import sys
import threading
import time

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
        "SUB-02",
        [
            ["spawn", "p0", "wait", 0, 0],
            ["later", "c0", 40, [["kill_process", "p0", "terminate"]]],
            ["later", "c1", 120, [["kill_process", "p0", "terminate"]]],
            ["run"],
        ],
        id="a child of the process that was ended keeps its pipes open",
    ),
    pytest.param(
        "TRN-05",
        [
            ["on", 0, "connection_made", [["write", 0, 65536]]],
            ["link", 0, "server"],
            ["run"],
            ["write", 0, 70001],
            [
                "soon",
                "c0",
                [["close_link", 0], ["peer_send", 0, 1], ["later", "c1", 0, [["peer_send", 0, 1]]]],
            ],
            ["run"],
            ["peer_reads", 0],
            ["run"],
            ["hear", 0],
        ],
        id="a peer that sends meanwhile learns of the reset by that, and reads an end of stream then",
    ),
    pytest.param(
        "PIP-01",
        [
            ["write_pipe", 0, "pipe"],
            ["run"],
            ["peer_reads", 0],
            ["soon", "c0", [["write", 0, 1], ["peer_close", 0]]],
            ["run"],
        ],
        id="a peer that waits for a pipe is closed",
    ),
    pytest.param(
        "IO-12",
        [
            ["task", "t0", [["sock_recvfrom", 0, 500], ["sock_recvfrom", 0, 7]], 2],
            [
                "soon",
                "c0",
                [["post", 0, 1], ["post", 0, 1], ["soon", "c1", [["soon", "c2", [["cancel_task", "t0"]]]]]],
            ],
            ["run"],
        ],
        id="a datagram on its way to a task that is cancelled goes with the cancellation",
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


class Unhurried(asyncio.SelectorEventLoop):
    """Its call_soon_threadsafe() takes a while to come back; what it was given has run by then."""

    def call_soon_threadsafe(self, callback, *args, context=None):
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.1)
        return handle


def test_a_thread_that_is_about_to_end_may_hold_what_it_scheduled():
    program = '[["soon","c0",[["thread","T0",[["threadsafe","c1",[]]]]]],["run"],["leave"]]'
    subject = f"{__name__}:Unhurried"
    assert main(["conform", subject, "--rules", "RES-03", "--strict", "--program", program]) == 0
