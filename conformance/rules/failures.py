"""EXC, continued: exceptions that nobody asks for, and what debug mode notices."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import VALUES, action, bodies, later, programs, several, soon, threadsafe, with_value
from ..vocabulary.failures import MISUSES
from .queries import runs_ended
from .rule import Finding, rule

_RAISE = st.just(("raise", "ValueError"))
_SET = action("setvar", VALUES)
_NAMES = st.sampled_from(["f0", "f1", "f2"])
_BY = st.sampled_from(["task", "future"])
_FAILING = action("failing", _NAMES, _BY, VALUES)
_ASK = action("ask", _NAMES)
_FORGET = action("forget", _NAMES)


@rule(
    "EXC-04",
    "R",
    "the exception handler runs in the context of the callback or task that failed (3.12)",
    source="asyncio-eventloop docs, loop.set_exception_handler; gh-104599",
    programs=st.one_of(
        programs(
            bodies([with_value(soon), with_value(later(1)), with_value(threadsafe)], [_RAISE, _SET]),
            with_value(soon)(several(st.one_of(_SET, _RAISE), 1, 2)).map(lambda a: (a,)),
            ("run",),
        ),
        programs(
            several(action("failing", _NAMES, st.just("task"), VALUES), 1, 3),
            ("run",),
            several(_FORGET, 1, 3),
            ("run",),
        ),
    ),
    needs="handler-contexts",
)
def in_its_context(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    own = {event.label: event.get("value") for event in history.of("raised", "failed")}
    for event in history.of("handled"):
        value = own.get(event.label)
        if value is not None and event.get("value") != value:
            yield Finding(
                f"the handler sees the context of {event.label}, where the variable is {value}",
                f"it sees {event.get('value')}",
            )


@rule(
    "EXC-05",
    "R",
    "a failed future or task that nobody asked for its exception is reported once, when it is collected",
    source="asyncio-dev docs, Detect never-retrieved exceptions; CPython test_futures, test_tasks",
    programs=programs(
        st.sampled_from([(), (), (("handler", "none"),)]),
        several(_FAILING, 1, 3),
        several(st.one_of(soon(several(st.one_of(_FAILING, _ASK, _FORGET), 1, 3)), _ASK), 0, 3),
        ("run",),
        several(st.one_of(_ASK, _FORGET), 1, 4),
        ("run",),
    ),
)
def reported(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    silent = bool(history.actions("handler"))
    if any(event["arguments"] != 2 for event in history.of("handled")):
        return  # a handler that gets no context is the business of EXC-01
    unasked = []
    for failed in history.of("failed"):
        label = failed.label
        gone = history.first("collected", label)
        asked = bool(history.of("asked", label=label))
        wanted = int(gone is not None and not asked)
        unasked += [label] * wanted
        told = history.of("handled", label=label)
        if silent:
            continue
        if len(told) != wanted:
            why = "nobody asked" if wanted else "it was asked" if asked else "it is still there"
            yield Finding(
                f"the handler is told {wanted} times of {label}: {why}", f"it was told {len(told)} times"
            )
        elif told and not {"future", "task"} & set(told[0]["keys"]):
            yield Finding("the context has 'future' or 'task'", f"it has {told[0]['keys']}")
    logged = [event for event in history.of("logged") if event.label == "ERROR"]
    if silent and len(logged) != len(unasked):
        yield Finding(
            f"{len(unasked)} exceptions are logged: of {', '.join(unasked) or 'none'}",
            f"{len(logged)} were",
        )


_BLOCK = action("block", st.integers(10, 15))
_MAY_BLOCK = several(_BLOCK, 0, 1)
_SLOW_MS = 9


@rule(
    "EXC-06",
    "R",
    "debug mode logs callbacks that take slow_callback_duration or longer, "
    "and refuses coroutines and what cannot be called",
    source="asyncio-dev docs, Debug Mode; CPython test_base_events",
    programs=st.one_of(
        programs(
            ("debug",),
            several(action("misuse", st.sampled_from(MISUSES)), 1, 3),
            soon(several(action("misuse", st.sampled_from(MISUSES)), 0, 2)).map(lambda a: (a,)),
            ("run",),
        ),
        programs(
            ("debug",),
            ("slow", _SLOW_MS),
            several(st.one_of(soon(_MAY_BLOCK), later(1)(_MAY_BLOCK), threadsafe(_MAY_BLOCK)), 1, 3),
            ("run",),
        ),
        # Nothing takes that long: a warning would be one too many.
        programs(("debug",), ("slow", 1900), several(soon(), 1, 3), ("run",)),
    ),
    timed=True,
    cost=2,
)
def debugged(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for event in history.of("misused"):
        if not str(event["error"]).startswith("TypeError"):
            yield Finding(
                f"debug mode refuses {event.label} with TypeError", f"it raised {event['error'] or 'nothing'}"
            )
    limit = history.first("slow-from")
    if limit is None or history.of("misused"):
        return
    durations = {
        end.label: end.at - begin.at
        for begin in history.of("begin")
        for end in history.of("end", label=begin.label)[:1]
    }
    slow = [label for label, lasted_s in durations.items() if lasted_s >= limit["duration_s"]]
    warnings = [event for event in history.of("logged") if event.label == "WARNING"]
    if len(warnings) < len(slow):
        yield Finding(
            f"{len(slow)} slow callbacks are logged: {', '.join(slow)}", f"{len(warnings)} warnings were"
        )
    slowest_s = max(durations.values(), default=0.0)
    if warnings and slowest_s < limit["duration_s"] / 2:
        yield Finding("quick callbacks are not logged", f"this was: {warnings[0]['message']}")
