"""Subprocesses (SUB): their output, their end, and what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..history import Event, History
from ..program import Action, Program
from ..strategies import action, programs, several
from ..vocabulary.processes import ROLES, SIGNALS
from .queries import runs_ended
from .rule import Finding, rule

_MOST = 3
_SOME_MS = st.integers(0, 120).map(float)
# Up to a pipe's 64 KiB and beyond; an exit code, or SIGKILL, SIGTERM and SIGUSR2 by the process itself.
_COUNTS = st.sampled_from([0, 1, 11, 4000, 70_000])
_STATUSES = st.one_of(st.sampled_from([0, 1, 3, 255, -9, -15, -12]))
_STARTED = st.sampled_from(["spawn", "communicate"])


def _start(label: str) -> SearchStrategy[Action]:
    return st.tuples(_STARTED, st.just(label), st.sampled_from(ROLES), _COUNTS, _STATUSES)


def _meddled(*meddling: Callable[[SearchStrategy[str]], SearchStrategy[Action]]) -> SearchStrategy[Program]:
    """Some processes, and callbacks and timers that meddle with them."""

    def of(number: int) -> SearchStrategy[Program]:
        labels = st.sampled_from([f"p{i}" for i in range(number)])
        body = several(st.one_of(*(meddle(labels) for meddle in meddling)), most=3)
        later = st.one_of(action("later", None, _SOME_MS, body), action("soon", None, body))
        return programs(
            st.tuples(*(_start(f"p{i}") for i in range(number))),
            several(later, least=0, most=4),
            *(("run",), ("children",), ("run",)),
        )

    return st.integers(1, _MOST).flatmap(of)


def _awaited() -> SearchStrategy[Program]:
    """A process for whose end several wait, from different moments on."""
    waits = action("later", None, _SOME_MS, several(action("wait_process", "p0"), most=3))
    start = st.tuples(st.just("communicate"), st.just("p0"), st.just("wait"), st.just(0), _STATUSES)
    return programs(st.tuples(start), several(waits, most=3), ("run",))


def _left_alone() -> SearchStrategy[Program]:
    """Processes that say much at once and end."""
    talking = st.tuples(
        _STARTED, st.sampled_from(["talk", "echo"]), st.sampled_from([4000, 70_000]), _STATUSES
    )
    return programs(
        st.lists(talking, min_size=1, max_size=_MOST).map(
            lambda all_of_them: tuple((how, f"p{i}", *rest) for i, (how, *rest) in enumerate(all_of_them))
        ),
        *(("run",), ("children",), ("run",)),
    )


def _wait(labels: SearchStrategy[str]) -> SearchStrategy[Action]:
    return action("wait_process", labels)


def _kill(labels: SearchStrategy[str]) -> SearchStrategy[Action]:
    return action("kill_process", labels, st.sampled_from(SIGNALS))


def _block(_labels: SearchStrategy[str]) -> SearchStrategy[Action]:
    """So long that a process may have ended when the loop comes to tell that it was made."""
    return action("block", st.integers(30, 120))


def _cancel(labels: SearchStrategy[str]) -> SearchStrategy[Action]:
    return action("cancel_process", labels)


@rule(
    "SUB-01",
    "R",
    "a process ends once, with its exit code, of which all who wait for it learn, and its output is complete",
    source="asyncio-eventloop docs, loop.subprocess_exec; asyncio-protocol docs, SubprocessProtocol; "
    "CPython test_subprocess",
    programs=st.one_of(_meddled(_wait, _kill), _awaited(), _left_alone()),
    cost=3,
    needs="children",
)
def a_process_ends_once_and_complete(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for start in history.of("spawning"):
        label = start.label
        if not history.of("spawned", label=label):
            continue
        if history.first("communicated", label):
            yield from _communicated(start, history)
        elif history.first("process-made", label):
            yield from _protocol_life(start, history)
    for waiting in history.of("waiting"):
        waited = [each for each in history.of("waited") if each["name"] == waiting["name"]]
        ended = history.first("communicated", waiting.label)
        if ended and [each["status"] for each in waited] != [ended["status"]]:
            yield Finding(
                f"who waits for {waiting.label} learns that it ended with {ended['status']}",
                f"wait() returned {waited[0]['status']}" if waited else "wait() never returned",
            )


def _killed(label: str, history: History) -> bool:
    return any(each["error"] is None and not each["ended"] for each in history.of("signalled", label=label))


def _communicated(start: Event, history: History) -> Iterator[Finding]:
    ended = history.of("communicated", label=start.label)[0]
    if _killed(start.label, history):
        return
    if ended["status"] != start["status"]:
        yield Finding(f"{start.label} ends with {start['status']}", f"returncode is {ended['status']}")
    yield from _output(start, {int(fd): seen for fd, seen in ended["seen"].items()})


def _protocol_life(start: Event, history: History) -> Iterator[Finding]:
    """What the protocol is told of a process that was started: each thing once, and the right exit code."""
    label = start.label
    exits = history.of("process-exited", label=label)
    lost = history.of("process-lost", label=label)
    pipes = history.of("pipe-lost", label=label)
    for name, events in (("process_exited", exits), ("connection_lost", lost)):
        if len(events) != 1:
            yield Finding(f"{name} of {label} is called once", f"it was called {len(events)} times")
            return
    numbers = sorted(each["fd"] for each in pipes)
    if numbers != [0, 1, 2]:
        yield Finding(
            f"pipe_connection_lost of {label} for each of 0, 1, 2", f"it was called for {numbers or 'none'}"
        )
    if _killed(label, history):
        return
    if exits[0]["status"] != start["status"]:
        yield Finding(f"{label} ends with {start['status']}", f"get_returncode() is {exits[0]['status']}")
    yield from _output(start, {each["fd"]: each["seen"] for each in pipes})


def _output(start: Event, seen: dict[int, int]) -> Iterator[Finding]:
    role, count = start["role"], start["count"]
    wanted = {1: 0 if role == "wait" else count, 2: count if role == "talk" else 0}
    for fd, bytes_wanted in wanted.items():
        if seen.get(fd, 0) != bytes_wanted:
            came = seen.get(fd, 0)
            yield Finding(
                f"all {bytes_wanted} bytes that {start.label} writes to {fd} arrive",
                f"{came} came" if came >= 0 else f"{-came} came, and others than were written",
            )


@rule(
    "SUB-03",
    "C",
    "connection_lost of a SubprocessProtocol comes last, after process_exited and the ends of the pipes",
    source="CPython base_subprocess.BaseSubprocessTransport._try_finish",
    programs=_meddled(_kill, _block),
    cost=3,
    needs="children",
)
def connection_lost_comes_last(history: History) -> Iterator[Finding]:
    for lost in history.of("process-lost"):
        names = {"pipe-lost": "pipe_connection_lost", "process-exited": "process_exited"}
        for late in history.of(*names, label=lost.label):
            if late.index > lost.index:
                yield Finding(
                    f"connection_lost of {lost.label} comes last", f"{names[late.kind]} came after it"
                )


@rule(
    "SUB-02",
    "C",
    "signalling a process that has ended is a ProcessLookupError; a cancelled start or wait leaves no zombie",
    source="asyncio-subprocess docs, Process.send_signal; CPython test_subprocess",
    programs=_meddled(_kill, _cancel, _wait),
    cost=3,
    needs="children",
)
def the_dead_are_told_and_reaped(history: History) -> Iterator[Finding]:
    for each in history.of("signalled"):
        if "ended" not in each.data:
            continue  # sent to this process, in a program about threads
        refused = str(each["error"] or "").startswith("ProcessLookupError")
        if _is_over(each, history) and not refused:
            wanted = f"{each['text']} to {each.label}, which has ended, raises ProcessLookupError"
            yield Finding(wanted, f"it raised {each['error']}" if each["error"] else "nothing was raised")
    for left in history.of("children"):
        if left["state"] == "zombie":
            yield Finding("every process that ends is reaped", "one has ended and is not reaped")


def _is_over(signalled: Event, history: History) -> bool:
    """Whether the process had ended, and its pipes with it: one that lives on may hold them open.

    Until then its transport hands on to Popen.send_signal(), which says nothing.
    """
    over = history.of("process-lost", "communicated", label=signalled.label)
    return bool(signalled["ended"]) and any(event.index < signalled.index for event in over)


@rule(
    "SUB-04",
    "R",
    "get_extra_info() of a subprocess's transport knows its Popen",
    source="asyncio-protocol docs, BaseTransport.get_extra_info",
    programs=programs(st.tuples(_start("p0").map(lambda made: ("spawn", *made[1:]))), ("run",)),
    cost=10,
    needs="children",
)
def processes_are_known(history: History) -> Iterator[Finding]:
    for made in history.of("process-made"):
        if not made["known"]:
            yield Finding("get_extra_info('subprocess') is the Popen of that process", "it is something else")
