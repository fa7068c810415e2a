"""Loops run what is ready in orders of their own: a rule about another matter does not blame them for it."""

import asyncio
import os
import selectors

import pytest
from hypothesis import Phase, given, settings
from muxloop.conformance.history import Event, History
from muxloop.conformance.player import play_on_loop
from muxloop.conformance.rules import all_rules

RULES = {rule.id: rule for rule in all_rules()}


def found(rule, program, make_loop=asyncio.SelectorEventLoop):
    events = play_on_loop(make_loop, program, 1.0)
    history = History(program, tuple(Event(index, *event) for index, event in enumerate(events)))
    assert history.first("broken-player") is None
    return list(RULES[rule].check(history))


def test_what_is_sent_after_hanging_up_need_not_come():
    task = ("task", "t0", (("sock_recv", 0, 1),))
    sent = (("send", 0, 3), ("hangup", 0), ("send", 0, 4))
    assert not found("CAN-12", (task, *sent, ("run",), ("recv", 0, 64)))


@pytest.mark.skipif(os.name != "posix", reason="no pipes to watch")
def test_a_reader_that_pauses_again_need_not_read_to_the_end():
    again = ("on", 0, "data_received", (("pause_reading", 0), ("peer_send", 0, 1)))
    begun = (("read_pipe", 0, "pipe"), ("run",), again, ("peer_send", 0, 1), ("run",))
    assert not found("PIP-01", (*begun, ("resume_reading", 0), ("run",), ("peer_close", 0), ("run",)))


@pytest.mark.parametrize(("how", "findings"), [("returned", 0), ("cancelled", 1)])
def test_only_a_cancelled_connection_is_asked_for_its_socket(how, findings):
    counted = [("measured", {"fds": 5}), ("sock-left", {"how": how}), ("measured", {"fds": 6})]
    events = [Event(index, 0.0, "main", kind, "", data) for index, (kind, data) in enumerate(counted)]
    assert len(list(RULES["CAN-13"].check(History((), tuple(events))))) == findings


class LooksAtFilesNowAndThen(asyncio.SelectorEventLoop):
    """While there are callbacks to run, it looks at its files in every eighth iteration only."""

    def __init__(self):
        super().__init__(_Rare())


class _Rare(selectors.SelectSelector):
    def __init__(self):
        super().__init__()
        self._looks = 0

    def select(self, timeout=None):
        self._looks += 1
        return super().select(timeout) if timeout != 0 or self._looks % 8 == 0 else []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.parametrize("rule", ["IO-10", "LIF-08"])
def test_a_loop_may_look_at_its_files_now_and_then(rule):
    @settings(max_examples=20, database=None, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(RULES[rule].programs)
    def check(program):
        assert not found(rule, program, LooksAtFilesNowAndThen)

    check()
