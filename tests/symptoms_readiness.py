"""How the faults of `faulty_readiness` show."""

# mypy: disable-error-code="func-returns-value"
# A lambda that does two things is a tuple of two calls.

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

import muxloop
from symptoms import count_polls, error_of, run, shows, socket_pairs, turn


def first_of_two_ready(loop: Any, undo: Callable[[socket.socket], object]) -> list[str]:
    """Two readers are ready in one batch, and the one that runs first undoes the other; who ran, in order."""
    log: list[str] = []
    with socket_pairs(2) as [(one, one_peer), (two, two_peer)]:

        def reader(own: socket.socket, other: socket.socket) -> None:
            log.append("reader")
            loop.remove_reader(own)
            undo(other)

        one_peer.send(b"x")
        two_peer.send(b"x")
        loop.add_reader(one, reader, one, two)
        loop.add_reader(two, reader, two, one)
        turn(loop, 1)
        loop.remove_reader(one)
        loop.remove_reader(two)
    return log


@shows("edge_triggered", right=[b"a", b"b"])
def unread_data_is_reported_again(loop: Any, patience_s: float) -> object:
    got: list[bytes] = []
    with socket_pairs(1) as [(here, there)]:
        there.send(b"ab")
        loop.add_reader(here, lambda: (got.append(here.recv(1)), len(got) == 2 and loop.stop()))
        run(loop, patience_s)
        loop.remove_reader(here)
    return got


@shows("former_reader_kept", right=["reader"])
def a_replaced_reader_is_cancelled(loop: Any, _patience_s: float) -> object:
    return first_of_two_ready(loop, lambda other: loop.add_reader(other, print))


@shows("removed_reader_fires", right=["reader"])
def a_removed_reader_is_cancelled(loop: Any, _patience_s: float) -> object:
    return first_of_two_ready(loop, loop.remove_reader)


@shows("stale_event_to_reused_fd", right=["reader"])
def a_reused_number_gets_no_old_event(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    with socket_pairs(1) as [(quiet, _)]:

        def hand_over(other: socket.socket) -> None:
            loop.remove_reader(other)
            os.dup2(quiet.fileno(), other.fileno())
            loop.add_reader(other, log.append, "stale")

        return first_of_two_ready(loop, hand_over) + log


@shows("refuses_file_objects", right=("none", "none"))
def sockets_and_numbers_are_accepted(loop: Any, _patience_s: float) -> object:
    with socket_pairs(2) as [(one, _), (two, _)]:
        answers = error_of(loop.add_reader, one, print), error_of(loop.add_reader, two.fileno(), print)
        loop.remove_reader(one)
        loop.remove_reader(two)
    return answers


@shows("reader_takes_writer_along", right=True)
def reader_and_writer_are_separate(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        loop.add_reader(here, print)
        loop.add_writer(here, print)
        loop.remove_reader(here)
        return loop.remove_writer(here)


@shows("remove_returns_none", right=(True, False))
def remove_reader_tells_whether_there_was_one(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        loop.add_reader(here, print)
        return loop.remove_reader(here), loop.remove_reader(here)


@shows("closed_fd_spins", "closed_fd_kills", right=True)
def a_closed_fd_disturbs_nobody(loop: Any, patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        loop.add_reader(here, print)
    polls = count_polls(loop)
    loop.call_later(0.05, loop.stop)
    run(loop, patience_s)
    return len(polls) <= 4


@shows("hang_up_unseen", right=["hang-up"])
def a_hang_up_wakes_the_reader(loop: Any, patience_s: float) -> object:
    log: list[str] = []
    reading, writing = os.pipe()
    os.close(writing)
    loop.add_reader(reading, lambda: (log.append("hang-up"), loop.remove_reader(reading), loop.stop()))
    run(loop, patience_s)
    loop.remove_reader(reading)
    os.close(reading)
    return log


@shows("closed_underfoot", right="OSError", sound=(muxloop.EventLoop,))
def a_lost_wait_ends(loop: Any, patience_s: float) -> object:
    with socket_pairs(1) as [(ours, _)]:
        loop.call_later(0.01, ours.close)
        try:
            loop.run_until_complete(asyncio.wait_for(loop.sock_recv(ours, 1), patience_s))
        except TimeoutError:
            return "TimeoutError"
        except OSError:
            return "OSError"
        return "nothing"
