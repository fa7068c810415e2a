"""A finding names what was asked for and did not happen, as far as the history tells."""

from muxloop.conformance.history import Event, History
from muxloop.conformance.rules import all_rules

RULES = {rule.id: rule for rule in all_rules()}


def findings(rule, *told):
    events = tuple(
        Event(index, index / 1000, "loop", kind, label, data)
        for index, (kind, label, data) in enumerate(told)
    )
    found = RULES[rule].check(History((), events))
    return [(finding.expected, finding.seen) for finding in found]


def returned(*expected):
    return ("returned", "", {"reason": "patience", "error": None, "expected": list(expected)})


def added(label, name):
    return ("signal-added", label, {"signal": name, "error": None})


def removed(name):
    return ("signal-removed", name, {"was_there": True, "result": True, "error": None})


def sent(name):
    return ("signal-sent", name, {})


def test_a_signal_that_is_lost_after_another_handler_went():
    told = [
        added("c0", "SIGUSR2"),
        added("c1", "SIGUSR1"),
        removed("SIGUSR2"),
        sent("SIGUSR1"),
        returned("c1"),
    ]
    assert findings("SIG-01", *told)[0] == (
        "the loop gets on with its work: c1 runs, the handler of SIGUSR1, which was sent "
        "after remove_signal_handler(SIGUSR2)",
        "it waited in vain for c1",
    )


def test_a_signal_that_is_lost():
    expected, _ = findings("SIG-01", added("c1", "SIGUSR1"), sent("SIGUSR1"), returned("c1"))[0]
    assert expected == "the loop gets on with its work: c1 runs, the handler of SIGUSR1, which was sent"


def test_a_callback_that_never_comes():
    call = ("called", "c3", {"via": "threadsafe", "error": None, "within": ""})
    expected, _ = findings("SIG-03", call, returned("c3"))[0]
    assert expected == "the loop gets on with its work: c3 runs, as asked by call_soon_threadsafe()"


def test_what_the_history_does_not_know_is_left_out():
    assert findings("SIG-03", returned("the end of g0")) == [
        ("the loop gets on with its work", "it waited in vain for the end of g0")
    ]


def test_the_wrong_timer_goes_with_a_cancelled_one():
    calls = [
        ("called", label, {"via": "later", "error": None, "cancelled": False, "within": ""})
        for label in ("c0", "c1")
    ]
    cancel = ("cancelled", "c1", {"error": None, "says": True})
    assert findings("CAN-01", *calls, cancel) == [("c0 runs once: only c1 was cancelled", "it never ran")]
