"""EXC: what becomes of exceptions in callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import strategies as st

from ..history import History
from ..strategies import action, bodies, later, programs, several, soon, threadsafe
from .queries import each_once, run_number, runs_ended
from .rule import Finding, rule

_RAISE = st.just(("raise", "ValueError"))


@rule(
    "EXC-01",
    "R",
    "a callback's exception goes to the handler with (loop, context) and the documented keys; "
    "the rest of the batch runs",
    source="asyncio-eventloop docs, Error Handling API; CPython test_base_events",
    programs=programs(
        bodies([soon, later(1), threadsafe], [_RAISE], max_leaves=6),
        soon(several(_RAISE, 1, 1)).map(lambda a: (a,)),
        ("run",),
    ),
)
def handled(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from each_once(history, history.scheduled())
    for event in history.of("handled"):
        if event["arguments"] != 2 or not event["loop_given"]:
            yield Finding(
                "the exception handler is called with (loop, context)",
                f"it got {event['arguments']} arguments",
            )
        elif not {"message", "exception"} <= set(event["keys"]):
            yield Finding("the context has 'message' and 'exception'", f"it has {event['keys']}")
    for raised in history.of("raised"):
        count = sum(event.label == raised.label for event in history.of("handled"))
        odd = any(event["arguments"] != 2 for event in history.of("handled"))
        if count != 1 and not odd:
            yield Finding(
                f"the handler hears once of the exception in {raised.label}", f"it heard of it {count} times"
            )


@rule(
    "EXC-02",
    "C",
    "a broken exception handler falls back to the default one, and the loop goes on",
    source="CPython test_base_events",
    programs=programs(
        ("handler", "raise"),
        bodies([soon, later(1)], [_RAISE], max_leaves=4),
        soon(several(_RAISE, 1, 1)).map(lambda a: (a,)),
        ("run",),
        several(soon(), 1, 1),
        ("run",),
    ),
)
def broken_handler(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from each_once(history, history.scheduled())
    if history.of("raised") and not history.of("logged"):
        yield Finding("the default handler logs what the broken one could not", "nothing was logged")


_LEAVE = action("raise", st.sampled_from(["KeyboardInterrupt", "SystemExit"]))


@rule(
    "EXC-03",
    "C",
    "KeyboardInterrupt and SystemExit leave the loop at once, with the queue intact",
    source="CPython test_base_events",
    programs=programs(
        several(soon(several(soon(), 0, 1)), 0, 3),
        soon(several(_LEAVE, 1, 1)).map(lambda a: (a,)),
        several(soon(several(soon(), 0, 1)), 0, 3),
        ("run",),
        ("run",),
    ),
)
def leaves(history: History) -> Iterator[Finding]:
    raised, returned = history.first("raised"), history.first("returned")
    if raised is None or returned is None:
        return
    if not str(returned["error"]).startswith(raised["exception"]):
        yield Finding(
            f"{raised['exception']} leaves run_forever",
            f"the run ended with {returned['error'] or 'nothing'}",
        )
    for begin in history.of("begin"):
        if raised.index < begin.index < returned.index:
            yield Finding(
                f"{begin.label} waits for the next run", f"it ran after {raised['exception']} was raised"
            )
    yield from each_once(history, history.scheduled())
    calls = [call for call in history.scheduled("soon") if history.begins(call.label)]
    begins = [history.begins(call.label)[0] for call in calls]
    if any(first.index > second.index for first, second in pairwise(begins)):
        runs = {begin.label: run_number(history, begin) for begin in begins}
        yield Finding(
            "the queue keeps its order over the interruption", f"they ran in another one; by run: {runs}"
        )
