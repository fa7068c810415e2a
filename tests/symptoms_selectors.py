"""How the faults of `faulty_selectors` show."""

from __future__ import annotations

import os
import selectors
import threading
import time
from typing import Any

from symptoms import error_of, shows, socket_pairs

BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE
EPOLL = (selectors.EpollSelector,)
PORTABLE = (selectors.PollSelector, selectors.SelectSelector)
ALL = EPOLL + PORTABLE


def waited_s(selector: Any, timeout_s: float) -> float:
    """How long a select takes, in seconds."""
    began = time.monotonic()
    selector.select(timeout_s)
    return time.monotonic() - began


@shows("register_twice_accepted", right="KeyError", sound=ALL)
def registering_twice_is_an_error(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        selector.register(here, BOTH)
        return error_of(selector.register, here, BOTH)


@shows("unknown_unregister_accepted", right="KeyError", sound=ALL)
def unregistering_the_unknown_is_an_error(selector: Any, _patience_s: float) -> object:
    return error_of(selector.unregister, 0)


@shows("events_masked", right="ValueError", sound=ALL)
def unknown_events_are_an_error(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        return error_of(selector.register, here, BOTH | 4)


@shows("map_is_snapshot", right=1, sound=ALL)
def the_map_is_live(selector: Any, _patience_s: float) -> object:
    keys = selector.get_map()
    with socket_pairs(1) as [(here, _)]:
        selector.register(here, BOTH)
        return len(keys)


@shows("modify_keeps_old_data", right="new", sound=ALL)
def modify_changes_the_data(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        selector.register(here, BOTH, "old")
        selector.modify(here, BOTH, "new")
        return selector.get_key(here).data


@shows("failed_register_leaves_key", right=("OSError", 0), sound=EPOLL)
def a_refused_register_leaves_nothing(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        closed = here.fileno()
    return error_of(selector.register, closed, BOTH), len(selector.get_map())


@shows("failed_modify_leaves_key", right=True, sound=EPOLL)
def a_refused_modify_leaves_no_new_events(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        closed = here.fileno()
        selector.register(closed, selectors.EVENT_READ)
    error = error_of(selector.modify, closed, BOTH)
    key = selector.get_map().get(closed)
    return error != "none" and (key is None or key.events == selectors.EVENT_READ)


@shows("timeout_rounded_down", right=True, sound=ALL)
def a_short_timeout_is_waited_for(selector: Any, _patience_s: float) -> object:
    return all(waited_s(selector, timeout_s) >= timeout_s for timeout_s in [0.0009] * 10)


@shows("negative_timeout_blocks", right=[], sound=ALL)
def a_negative_timeout_does_not_block(selector: Any, patience_s: float) -> object:
    with socket_pairs(1) as [(here, there)]:
        selector.register(here, selectors.EVENT_READ)
        rescue = threading.Timer(patience_s, there.send, [b"x"])
        rescue.start()
        ready = selector.select(-1)
        rescue.cancel()
        rescue.join()
    return ready


@shows("empty_select_returns", "empty_select_raises", right=True, sound=ALL)
def an_empty_select_waits(selector: Any, _patience_s: float) -> object:
    return waited_s(selector, 0.02) >= 0.02


@shows("unregister_needs_open_fd", right="none", sound=ALL)
def a_closed_fd_can_be_unregistered(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)]:
        number = here.fileno()
        selector.register(number, BOTH)
    return error_of(selector.unregister, number)


@shows("kernel_never_told", "late_removal", right=[BOTH], sound=ALL)
def what_was_unregistered_can_come_back(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, there)]:
        there.send(b"x")
        selector.register(here, BOTH)
        selector.unregister(here)
        selector.register(here, BOTH)
        return [mask for _, mask in selector.select(0)]


@shows("reports_edges", right=[1, 1], sound=ALL)
def what_stays_ready_is_reported_again(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, there)]:
        there.send(b"x")
        selector.register(here, selectors.EVENT_READ)
        return [len(selector.select(0)) for _ in range(2)]


@shows("hang_up_dropped", right=[selectors.EVENT_READ], sound=ALL)
def a_hang_up_is_readable(selector: Any, _patience_s: float) -> object:
    reading, writing = os.pipe()
    os.close(writing)
    selector.register(reading, selectors.EVENT_READ)
    masks = [mask for _, mask in selector.select(0)]
    os.close(reading)
    return masks


@shows("batch_counts_fds", right=[BOTH] * 4, sound=ALL)
def both_ways_of_each_fd_are_reported(selector: Any, _patience_s: float) -> object:
    with socket_pairs(4) as pairs:
        for here, there in pairs:
            there.send(b"x")
            selector.register(here, BOTH)
        return [mask for _, mask in selector.select(0)]


@shows("low_numbers_first", right=8, sound=ALL)
def no_ready_fd_starves(selector: Any, _patience_s: float) -> object:
    with socket_pairs(8) as pairs:
        for here, there in pairs:
            there.send(b"x")
            selector.register(here, selectors.EVENT_READ)
        return len({key.fd for _ in range(10) for key, _ in selector.select(0)})


@shows("old_completions_trusted", right=[1, 0], sound=ALL)
def what_was_read_is_not_reported_again(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, there)]:
        there.send(b"x")
        selector.register(here, selectors.EVENT_READ)
        first = len(selector.select(0))
        here.recv(1)
        return [first, len(selector.select(0))]


@shows("half_dead_pipes_refused", right="none", sound=ALL)
def a_pipe_without_a_reader_can_be_watched(selector: Any, _patience_s: float) -> object:
    reading, writing = os.pipe()
    os.close(reading)
    error = error_of(selector.register, writing, selectors.EVENT_WRITE)
    os.close(writing)
    return error
