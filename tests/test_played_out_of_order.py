"""Loops run what is ready in orders of their own: a rule about another matter does not blame them for it."""

import asyncio

from muxloop.conformance.history import Event, History
from muxloop.conformance.player import play_on_loop
from muxloop.conformance.rules import all_rules

RULES = {rule.id: rule for rule in all_rules()}


def found(rule, program):
    events = play_on_loop(asyncio.SelectorEventLoop, program, 1.0)
    history = History(program, tuple(Event(index, *event) for index, event in enumerate(events)))
    assert history.first("broken-player") is None
    return list(RULES[rule].check(history))


def test_what_is_sent_after_hanging_up_need_not_come():
    task = ("task", "t0", (("sock_recv", 0, 1),))
    sent = (("send", 0, 3), ("hangup", 0), ("send", 0, 4))
    assert not found("CAN-12", (task, *sent, ("run",), ("recv", 0, 64)))
