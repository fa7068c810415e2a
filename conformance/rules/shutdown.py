"""LIF, continued: what a loop ends in good order, its asynchronous generators and its default executor."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..program import Program
from .queries import LATE_S, runs_ended
from .rule import Finding, rule

_KINDS = st.sampled_from(["plain", "awaits", "raises"])
_TAKES = st.integers(0, 3)
_AGEN = st.tuples(st.integers(0, 3), _KINDS, _TAKES, st.sampled_from(["", "", "dropped"]))


def _half_way(agens: list[tuple[int, str, int, str]], inside: bool, late: list[str]) -> Program:
    """Generators are iterated, some dropped, the rest shut down; then new ones are begun."""
    names = [f"a{i}" for i in range(len(agens))]
    made = tuple(("agen", name, count, kind) for name, (count, kind, _, _) in zip(names, agens, strict=True))
    rounds = max(takes for _, _, takes, _ in agens)
    actions: list[Program] = []
    for i in range(rounds):
        taking = tuple(
            ("iterate", name) for name, (_, _, takes, _) in zip(names, agens, strict=True) if takes > i
        )
        actions.append((("soon", f"c{i}", taking) if inside else ("later", f"c{i}", i + 1, taking), ("run",)))
    dropped = tuple(
        ("drop_agen", name) for name, (_, _, _, how) in zip(names, agens, strict=True) if how == "dropped"
    )
    afterwards: Program = ()
    for i, kind in enumerate(late):
        afterwards += (("agen", f"b{i}", 2, kind), ("iterate", f"b{i}"))
    return (
        *made,
        *(action for round_ in actions for action in round_),
        *((("soon", "drops", dropped), ("run",)) if dropped else ()),
        ("shutdown_asyncgens",),
        *((*afterwards, ("run",)) if late else ()),
    )


@rule(
    "LIF-09",
    "R",
    "shutdown_asyncgens closes every generator left half-way, reports what their ends raise, "
    "and later iteration warns; one that is dropped half-way is closed by the loop",
    source="asyncio-eventloop docs, loop.shutdown_asyncgens; PEP 525; CPython test_asyncgen",
    programs=st.builds(
        _half_way,
        st.lists(_AGEN, min_size=1, max_size=4),
        st.booleans(),
        st.lists(st.sampled_from(["plain", "awaits"]), max_size=2),
    ),
)
def generators_end(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for shut in history.of("shut-down", label="asyncgens"):
        if shut["error"]:
            yield Finding("shutdown_asyncgens() runs to its end", f"it raised {shut['error']}")
            continue
        if shut["open"]:
            yield Finding(
                "shutdown_asyncgens() closes all generators", f"{', '.join(shut['open'])} stay open"
            )
        begun = max(e.index for e in history.of("shutting-down", label="asyncgens") if e.index < shut.index)
        if all(event["arguments"] == 2 for event in history.of("handled")):
            yield from _reported(history, begun, shut.index)
        for step in history.of("iterated"):
            first = history.of("iterated", label=step.label)[0]
            if step is first and step.index > shut.index and not step["warned"]:
                yield Finding(f"iterating {step.label} after shutdown_asyncgens() warns", "it did not")
    for dropped in history.of("agen-dropped"):
        closed = any(event.index > dropped.index for event in history.of("agen-closed", label=dropped.label))
        if dropped["half_way"] and not closed:
            yield Finding(f"{dropped.label} is closed when it is dropped half-way", "it was not")


def _reported(history: History, begun: int, ended: int) -> Iterator[Finding]:
    raising = {label for _, label, _, kind in history.actions("agen") if kind == "raises"}
    for closed in history.of("agen-closed"):
        if closed.label not in raising or not begun < closed.index < ended:
            continue
        told = [event for event in history.of("handled", label=closed.label) if begun < event.index < ended]
        if len(told) != 1 or "asyncgen" not in told[0]["keys"]:
            yield Finding(
                f"the exception handler is told once, with 'asyncgen', what the end of {closed.label} raised",
                f"it was told {len(told)} times" + (f", with {told[0]['keys']}" if told else ""),
            )


_WITH_TIMEOUT = sys.version_info >= (3, 12)


def _shutting(jobs: list[int], timeout: float | None, stuck: bool) -> Program:
    """Jobs end while the loop waits for them; with a timeout one may not end at all."""
    names = [f"job{i}" for i in range(len(jobs))]
    stuck = stuck and timeout is not None
    released = names[1:] if stuck else names
    return (
        *(("executor", name) for name in names),
        *(
            ("later", f"c{i}", ms, (("release", name),))
            for i, (name, ms) in enumerate(zip(names, jobs, strict=True))
            if name in released
        ),
        # Without a job that is stuck the timeout is only there to be kept from running out.
        ("shutdown_executor", *(() if timeout is None else (timeout if stuck else 1900,))),
        ("attempt", "run_in_executor"),
    )


@rule(
    "LIF-10",
    "R",
    "shutdown_default_executor waits for the jobs, or (3.12) warns when its timeout runs out; "
    "run_in_executor raises RuntimeError after it",
    source="asyncio-eventloop docs, loop.shutdown_default_executor; CPython test_base_events",
    programs=st.builds(
        _shutting,
        st.lists(st.integers(1, 20), max_size=3),
        st.sampled_from([None, None, 20, 50]) if _WITH_TIMEOUT else st.none(),
        st.booleans(),
    ),
    timed=True,
    cost=2,
)
def executor_ends(history: History) -> Iterator[Finding]:
    shut = history.first("shut-down", "executor")
    begun = history.first("shutting-down", "executor")
    if shut is None or begun is None:
        return
    if shut["error"]:
        yield Finding("shutdown_default_executor() runs to its end", f"it raised {shut['error']}")
        return
    released = {label for _, label in history.actions("release")}
    stuck = [label for _, label in history.actions("executor") if label not in released]
    early = [label for label in shut["jobs_running"] if label in released]
    if early:
        yield Finding("it waits until the executor's jobs are done", f"{', '.join(early)} went on")
    if stuck and "RuntimeWarning" not in shut["warned"]:
        yield Finding("it warns with a RuntimeWarning when the timeout runs out", f"it gave {shut['warned']}")
    if not stuck and "RuntimeWarning" in shut["warned"]:
        yield Finding("it does not warn: the jobs end in time", "it gave a RuntimeWarning")
    timeout_s = next(
        (action[1] / 1000 for action in history.actions("shutdown_executor") if action[1:]), None
    )
    if stuck and timeout_s is not None and shut.at - begun.at > timeout_s + LATE_S * history.tolerance:
        waited_ms = (shut.at - begun.at) * 1000
        yield Finding(f"it gives up after {timeout_s * 1000:.0f} ms", f"it took {waited_ms:.0f} ms")
    for attempt in history.of("attempted", label="run_in_executor"):
        if attempt.index > shut.index and not str(attempt["error"]).startswith("RuntimeError"):
            yield Finding(
                "run_in_executor() raises RuntimeError once the executor is shut down",
                f"it raised {attempt['error'] or 'nothing'}",
            )
