"""Questions that several rules ask of a history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..history import Event, History
from .rule import Finding

COARSE_S = 0.002
"""Deadlines that differ by more are told apart by any clock in use."""
_CALLS = {
    "soon": "call_soon",
    "threadsafe": "call_soon_threadsafe",
    "later": "call_later",
    "at": "call_at",
    "done": "add_done_callback",
}
"""What the program called, by how the history names it."""
LATE_S = 0.3
"""What is later than this (times the tolerance) did not come promptly."""


def each_once(history: History, calls: Iterable[Event]) -> Iterator[Finding]:
    """Each of these scheduling calls led to exactly one run."""
    for call in calls:
        runs = len(history.begins(call.label))
        if runs != 1:
            yield Finding(f"{call.label} runs once", f"it ran {runs} times" if runs else "it never ran")


def in_order(history: History, calls: Sequence[Event], why: str) -> Iterator[Finding]:
    """The callbacks of these calls began in the order of the calls."""
    begun = [(call, history.begins(call.label)[0]) for call in calls if history.begins(call.label)]
    for (earlier, first), (later, second) in pairwise(begun):
        if first.index > second.index:
            order = [call.label for call, _ in sorted(begun, key=lambda pair: pair[1].index)]
            yield Finding(
                f"{earlier.label} before {later.label}: {why}", "they ran in the order " + ", ".join(order)
            )
            return


def not_refused(history: History) -> Iterator[Finding]:
    """No scheduling call of the program raised."""
    for call in history.of("called"):
        if call.get("error"):
            yield Finding(f"{call['via']} of {call.label} is accepted", f"it raised {call['error']}")


def in_turns(turns: Sequence[Event]) -> Iterator[Finding]:
    """Of flow control one protocol was told pause_writing first, and never the same twice in a row."""
    if turns and turns[0]["what"] != "pause_writing":
        yield Finding("pause_writing comes before resume_writing", "resume_writing came first")
    for first, second in pairwise(turns):
        if first["what"] == second["what"]:
            yield Finding(
                "pause_writing and resume_writing come in turns", f"{first['what']} came twice in a row"
            )


def runs_ended(history: History) -> Iterator[Finding]:
    """Every run came back by itself, with nothing missing and without an exception."""
    for returned in history.of("returned"):
        if returned["reason"] == "patience":
            missing = ", ".join(returned["expected"]) or "the end of the run"
            asked = _asked_for(history, returned)
            yield Finding(f"the loop gets on with its work{asked}", f"it waited in vain for {missing}")
        elif returned["error"]:
            yield Finding("the loop goes on", f"the run ended with {returned['error']}")


def _asked_for(history: History, returned: Event) -> str:
    """What the history tells of the first thing that a run waited for in vain: who asked for it, and when."""
    for label in returned["expected"]:
        handled = history.first("signal-added", label)
        if handled is not None:
            told = history.of("signal-sent", "signal-removed")
            before = [event for event in told if event.index < returned.index]
            sent = next((event for event in reversed(before) if event.label == handled["signal"]), None)
            if sent is not None and sent.kind == "signal-sent":
                removed = [e.label for e in before if e.kind == "signal-removed" and e.index < sent.index]
                after = f" after remove_signal_handler({removed[-1]})" if removed else ""
                return f": {label} runs, the handler of {sent.label}, which was sent{after}"
        call = next((event for event in history.scheduled() if event.label == label), None)
        if call is not None and call["via"] in _CALLS:
            return f": {label} runs, as asked by {_CALLS[call['via']]}()"
    return ""


def never_after_cancel(history: History) -> Iterator[Finding]:
    """No callback begins after its handle was cancelled."""
    for cancel in history.of("cancelled"):
        for begin in history.begins(cancel.label):
            if begin.index > cancel.index:
                yield Finding(
                    f"{cancel.label} never runs: it was cancelled before",
                    f"{cancel.label} ran after cancel()",
                )


def due_window(call: Event) -> tuple[float, float]:
    """Between which readings of the loop's clock the deadline of this timer must lie."""
    if call["via"] == "at":
        return call["deadline"], call["deadline"]
    return call["loop_before"] + call["delay"], call["loop_after"] + call["delay"]


def deadline_order(history: History, by_s: float = 0.0) -> Iterator[Finding]:
    """Timers fire in deadline order if their deadlines differ for certain, and both were ahead when armed.

    Those that differ by less than ``by_s`` pass: rules on other matters leave the fine order to TMR-02. What
    is due within one resolution of the clock is not ahead: TMR-01 lets a loop run it at once (15.6 ms on
    Windows before Python 3.13, gh-88494).
    """
    fired = []
    for call in history.scheduled("later", "at"):
        begins = history.begins(call.label)
        if begins and call["delay"] == call["delay"]:
            fired.append((begins[0].index, call, *due_window(call)))
    fired.sort(key=lambda item: item[0])
    latest: tuple[Event, float] | None = None
    for _, call, low, high in fired:
        if latest is not None:
            before, due = latest
            armed = max(call["loop_after"], before["loop_after"])
            if due - high > by_s and low > armed + history.resolution:
                gap_ms = (due - high) * 1000
                yield Finding(
                    f"{call.label} before {before.label}: it is due at least {gap_ms:.3f} ms earlier",
                    f"{before.label} ran first",
                )
                return
        if latest is None or low > latest[1]:
            latest = (call, low)


def late(history: History, calls: Iterable[Event]) -> Iterator[Finding]:
    """None of these came much later than it was due."""
    for call in calls:
        for begin in history.begins(call.label)[:1]:
            lateness = begin.at - call.get("returned", call.at) - max(0.0, call.get("delay", 0.0))
            if lateness > LATE_S * history.tolerance:
                yield Finding(f"{call.label} runs promptly", f"it came {lateness * 1000:.0f} ms late")


def run_number(history: History, event: Event) -> int:
    """In which run of the loop (0 before the first) an event happened."""
    return sum(run.index < event.index for run in history.of("run"))


def generation(history: History, label: str) -> int:
    """0 for what the program scheduled itself, 1 for what those callbacks scheduled, and so on."""
    depth = 0
    calls = {call.label: call for call in history.of("called")}
    while label in calls and calls[label]["within"]:
        label = calls[label]["within"]
        depth += 1
    return depth
