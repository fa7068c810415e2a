"""How the faults of `faulty_selector_lives` show."""

from __future__ import annotations

import os
import selectors
import socket
import warnings
from typing import Any

from muxloop.selectors_impl.epoll import EpollSelector
from muxloop.selectors_impl.poll import PollSelector
from muxloop.selectors_impl.select import SelectSelector
from symptoms import error_of, shows, socket_pairs
from symptoms_life_cycle import left_open_by

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
OURS = (EpollSelector, PollSelector, SelectSelector)
ALL = (selectors.EpollSelector, selectors.PollSelector, selectors.SelectSelector, *OURS)
ENOUGH = 1000
"""After so many waits each of ours has noticed what is gone."""


@shows("close_keeps_epoll", right=set(), sound=ALL)
def closing_frees_the_descriptor(selector: Any, _patience_s: float) -> object:
    return left_open_by(type(selector))


@shows("survives_exec", right=False, sound=(EpollSelector, selectors.EpollSelector))
def the_descriptor_is_not_inherited(selector: Any, _patience_s: float) -> object:
    return os.get_inheritable(selector.fileno())


@shows("close_twice_raises", right="none", sound=ALL)
def closing_twice_is_fine(selector: Any, _patience_s: float) -> object:
    twin = type(selector)()
    twin.close()
    return error_of(twin.close)


@shows(
    *("closed_select_returns", "closed_map_is_none", "closed_in_many_ways"),
    right={"SelectorClosedError"},
    sound=OURS,
)
def a_closed_selector_has_one_error(selector: Any, _patience_s: float) -> object:
    selector.close()
    with socket_pairs(1) as [(here, _)]:
        return {
            error_of(selector.select, 0),
            error_of(selector.get_map),
            error_of(selector.register, here, READ),
        }


@shows(
    *("shared_with_child", "fork_unnoticed"),
    right=1,
    sound=(*OURS, selectors.PollSelector, selectors.SelectSelector),
)
def a_child_leaves_the_selector_of_its_parent_alone(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, there)]:
        selector.register(here, READ)
        with warnings.catch_warnings():
            # The child does nothing but this, so the threads of the test runner are no danger to it.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                selector.unregister(here)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        there.send(b"x")
        return len(selector.select(0))


@shows("dies_of_bad_fd", "bad_fd_starves_all", "invalid_is_ready", right=[1], sound=OURS)
def the_others_are_served_when_a_number_is_closed(selector: Any, _patience_s: float) -> object:
    with socket_pairs(2) as [(dead, _), (here, there)]:
        selector.register(dead, READ, 0)
        selector.register(here, READ, 1)
        dead.close()
        there.send(b"x")
        return [key.data for key, _ in selector.select(0)]


@shows("duplicate_spins", right=[], sound=OURS)
def a_closed_file_falls_silent(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, there)], here.dup():
        selector.register(here, READ)
        there.send(b"x")
        here.close()
        for _ in range(ENOUGH):
            selector.select(0)
        return selector.select(0)


@shows("stale_key_after_reuse", "former_owners_data", right=["new"], sound=OURS)
def the_new_owner_of_a_number_is_watched(selector: Any, _patience_s: float) -> object:
    with socket_pairs(2) as [(old, _), (fresh, there)]:
        selector.register(old, READ, "old")
        number = old.detach()
        os.dup2(fresh.fileno(), number)
        with socket.socket(fileno=number) as new:
            selector.modify(new, READ, "new")
            there.send(b"x")
            data = [key.data for key, _ in selector.select(0)]
            selector.unregister(new)
    return data


@shows("events_of_former_owner", right=[], sound=OURS)
def the_former_owner_of_a_number_is_silent(selector: Any, _patience_s: float) -> object:
    with socket_pairs(2) as [(old, there), (fresh, _)], old.dup():
        selector.register(old, READ)
        number = old.detach()
        os.dup2(fresh.fileno(), number)
        with socket.socket(fileno=number) as new:
            selector.modify(new, READ)
            there.send(b"x")
            ready = selector.select(0)
            selector.unregister(new)
    return ready


@shows(
    *("always_ready_refused", "files_readable_only", "files_ready_once"),
    right=[[READ | WRITE]] * 2,
    sound=(*OURS, selectors.PollSelector, selectors.SelectSelector),
)
def a_regular_file_is_always_ready(selector: Any, _patience_s: float) -> object:
    with open(__file__, "rb") as file:
        selector.register(file, READ | WRITE)
        return [[mask for _, mask in selector.select(0)] for _ in range(2)]


@shows("listener_lost", right=[READ], sound=ALL)
def a_listener_is_readable(selector: Any, _patience_s: float) -> object:
    with socket.create_server(("127.0.0.1", 0)) as server:
        selector.register(server, READ)
        with socket.create_connection(server.getsockname()):
            return [mask for _, mask in selector.select(1)]


@shows("refusal_unmapped", right=[WRITE], sound=ALL)
def a_refused_connection_is_writable(selector: Any, _patience_s: float) -> object:
    with socket.socket() as nobody, socket.socket() as client:
        nobody.bind(("127.0.0.1", 0))
        client.setblocking(False)
        client.connect_ex(nobody.getsockname())
        selector.register(client, WRITE)
        return [mask for _, mask in selector.select(1)]


@shows("duplicates_are_one", right=[0, 1], sound=ALL)
def duplicates_are_reported_each(selector: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(here, _)], here.dup() as copy:
        selector.register(here, WRITE, 0)
        selector.register(copy, WRITE, 1)
        return sorted(key.data for key, _ in selector.select(0))


@shows("one_datagram_only", right=[[READ]] * 2, sound=ALL)
def a_datagram_that_is_left_is_reported_again(selector: Any, _patience_s: float) -> object:
    here, there = socket.socketpair(type=socket.SOCK_DGRAM)
    with here, there:
        there.send(b"x")
        selector.register(here, READ)
        return [[mask for _, mask in selector.select(0)] for _ in range(2)]
