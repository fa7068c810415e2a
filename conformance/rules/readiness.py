"""IO: what readers and writers are told."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..file_kinds import KINDS
from ..history import Event, History
from ..player.stage import READER_LIMIT
from ..program import Action, Program
from ..strategies import action, named, programs, several, soon
from .queries import late, runs_ended
from .rule import Finding, rule

Watcher = tuple[str, int]
"""A side ("reader" or "writer") of a pair."""


def _watchers(history: History) -> Iterator[tuple[Event, dict[Watcher, str]]]:
    """Each event of the history with the callbacks that are registered when it happens."""
    registered: dict[Watcher, str] = {}
    for event in history.events:
        yield event, registered
        if event.kind == "watched" and not event["error"]:
            registered[event["side"], event["pair"]] = event.label
        elif event.kind == "unwatched" and not event["error"]:
            registered.pop((event["side"], int(event.label)), None)


def _watching_at_the_end(history: History) -> dict[Watcher, str]:
    registered: dict[Watcher, str] = {}
    for _, now in _watchers(history):
        registered = now
    return registered


def _watch_refused(history: History) -> Iterator[Finding]:
    for event in history.of("watched"):
        if event["error"]:
            what = "an object with fileno()" if event["by"] == "sock" else "an fd"
            yield Finding(f"add_{event['side']} accepts {what}", f"it raised {event['error']}")


def _drained(pairs: int, sent: int, taken: int) -> Program:
    watched = tuple(("reader", pair, f"r{pair}", (("recv", pair, taken),)) for pair in range(pairs))
    return (*watched, *(("send", pair, sent) for pair in range(pairs)), ("run",))


@rule(
    "IO-01",
    "C",
    "readiness is level-triggered: data left unread is reported again",
    source="selectors docs; CPython selector_events",
    programs=st.builds(_drained, st.integers(1, 3), st.integers(1, 8), st.integers(1, 3)),
)
def level_triggered(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    taken = {pair: max(1, count) for _, pair, count in history.actions("recv")}
    for _, pair, sent in history.actions("send"):
        watched = history.first("watched", f"r{pair}")
        if pair not in taken or watched is None or watched["error"]:
            continue
        wanted = -(-sent // taken[pair])
        runs = len(history.begins(f"r{pair}"))
        if runs != wanted:
            yield Finding(
                f"r{pair} runs {wanted} times: {sent} bytes came and each run takes {taken[pair]}",
                f"it ran {runs} times",
            )


_SIDES = st.sampled_from(["reader", "writer"])
_BY = st.sampled_from(["sock", "fd"])


def _watch(side: str, pair: int, by: str) -> Action:
    """A watcher that uses up what made it ready: a reader receives, a writer removes itself."""
    body: Program = (("recv", pair, 64),) if side == "reader" else (("unwriter", pair),)
    return (side, pair, None, body, by)


_WATCH = st.builds(_watch, _SIDES, st.integers(0, 1), _BY)
_UNWATCH = st.one_of(action("unreader", st.integers(0, 1)), action("unwriter", st.integers(0, 1)))


def _watching_more(first: Action, more: Action) -> Action:
    """A watcher that also sets up another one, when it runs."""
    side, pair, label, body, by = first
    return (side, pair, label, (*body, more), by)


def _receiving(watcher: Action) -> Program:
    """The same reader, as a body of its own; it receives before it does the rest."""
    side, pair, label, body, by = watcher
    return ((side, pair, label, (("recv", pair, 64), *body), by),)


_WATCHES = st.one_of(_WATCH, st.builds(_watching_more, _WATCH, _WATCH))
_SEND = action("send", st.integers(0, 1), 1)


@rule(
    "IO-02",
    "R",
    "add_reader replaces and cancels the former; reader and writer are separate; "
    "ints and objects with fileno() are taken",
    source="asyncio-eventloop docs, Watching file descriptors; CPython test_selector_events",
    programs=st.one_of(
        programs(
            several(st.one_of(_WATCHES, _WATCH, _UNWATCH), 1, 7),
            several(soon(several(st.one_of(_WATCH, _SEND, _UNWATCH), 1, 4)), 0, 2),
            several(_SEND, 0, 2),
            ("run",),
            several(st.one_of(_SEND, _UNWATCH), 0, 2),
            ("run",),
        ),
        programs(
            st.permutations(["reader", "writer"]).map(
                lambda sides: tuple(_watch(side, 0, "fd") for side in sides)
            ),
            several(action("unreader", 0), 0, 1),
            ("send", 0, 1),
            ("run",),
        ),
        programs(
            ("fill", 0),
            _BY.map(lambda by: (_watch("writer", 0, by),)),
            soon(st.just((("drain", 0),))).map(lambda draining: (draining,)),
            ("run",),
        ),
        # What makes the fd readable does not make it writable.
        programs(
            ("fill", 0),
            st.tuples(st.permutations(["reader", "writer"]), _BY).map(
                lambda made: tuple(_watch(side, 0, made[1]) for side in made[0])
            ),
            several(st.one_of(soon(several(action("send", 0, 1), 1, 2)), action("send", 0, 1)), 1, 3),
            (("later", None, 3, (("drain", 0),)), ("run",)),
        ),
        programs(
            action("reader", 0, None, several(_WATCH, 1, 2), _BY).map(_receiving),
            action("reader", 1, None, several(_WATCH, 1, 2), _BY).map(_receiving),
            st.just((("send", 0, 1), ("send", 1, 1))).map(lambda sends: (("soon", None, sends),)),
            ("run",),
        ),
    ),
)
def replaced(history: History) -> Iterator[Finding]:
    yield from _watch_refused(history)
    watched = {event.label: event for event in history.of("watched")}
    for event, registered in _watchers(history):
        if event.kind == "begin" and event.label in watched:
            own = watched[event.label]
            holder = registered.get((own["side"], own["pair"]))
            if holder != event.label and holder is not None:
                yield Finding(f"{event.label} never runs again: {holder} replaced it", "it ran")
    yield from _writers_had_room(history)
    yield from _all_served(history)


def _writers_had_room(history: History) -> Iterator[Finding]:
    """What was filled before the first run has no room until its peer has read."""
    drained = history.first("drained")
    for event in history.of("watched") if history.actions("fill") else ():
        for begin in history.begins(event.label)[:1] if event["side"] == "writer" else ():
            if drained is None or begin.index < drained.index:
                yield Finding(f"{event.label} runs when its fd is writable", "it ran while the fd was full")


def _all_served(history: History) -> Iterator[Finding]:
    """After the last run no registered reader has data left, and no registered writer stands waiting."""
    for (side, pair), label in _watching_at_the_end(history).items():
        sent = sum(send["count"] for send in history.of("sent") if send.label == str(pair))
        taken = sum(
            got["count"] for got in history.of("received", label=str(pair)) if isinstance(got["count"], int)
        )
        if side == "reader" and sent > taken:
            yield Finding(f"{label} is told of the data on its fd", f"{sent - taken} bytes are left unread")
        if side == "writer" and not history.begins(label):
            yield Finding(f"{label} is told that its fd is writable", "it never ran")


@rule(
    "IO-03",
    "R",
    "remove_reader and remove_writer return whether something was removed",
    source="asyncio-eventloop docs, loop.remove_reader; CPython test_selector_events",
    programs=programs(
        several(st.one_of(_WATCH, _UNWATCH), 1, 6),
        several(soon(several(st.one_of(_WATCH, _UNWATCH), 1, 3)), 0, 1),
        ("run",),
    ),
)
def removal_says(history: History) -> Iterator[Finding]:
    for event, registered in _watchers(history):
        if event.kind != "unwatched":
            continue
        there = (event["side"], int(event.label)) in registered
        call = f"remove_{event['side']} of a {'registered' if there else 'foreign'} fd"
        if event["error"]:
            yield Finding(f"{call} returns {there}", f"it raised {event['error']}")
        elif event["result"] is not there:
            yield Finding(f"{call} returns {there}", f"it returned {event['result']!r}")


def _removing(pairs: int, victims: list[tuple[int, int]], first: str) -> Program:
    """Several pairs become ready in one poll; the callbacks remove one another."""
    removed = {by % pairs: victim % pairs for by, victim in victims}
    watched = tuple(
        (
            "reader",
            pair,
            None,
            ((("unreader", removed[pair]),) if pair in removed else ()) + (("recv", pair, 8),),
            first,
        )
        for pair in range(pairs)
    )
    return named((*watched, ("soon", None, tuple(("send", pair, 1) for pair in range(pairs))), ("run",)))


@rule(
    "IO-04",
    "C",
    "a removed reader never fires again, also when it is ready in this batch and another callback removed it",
    source="CPython test_selector_events; mio; trio",
    programs=st.builds(
        _removing,
        st.integers(2, 4),
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4),
        _BY,
    ),
)
def removed_stays_removed(history: History) -> Iterator[Finding]:
    watched = {event.label: event for event in history.of("watched")}
    for event, registered in _watchers(history):
        if event.kind == "begin" and event.label in watched:
            own = watched[event.label]
            if (own["side"], own["pair"]) not in registered:
                yield Finding(f"{event.label} never runs: it was removed before", "it ran")


def _abandoning(by: str, how: str, sent: int, then: int) -> Program:
    """One fd is closed while it is watched; the rest of the loop has work to do and then rests."""
    return (
        ("reader", 0, "closed", (("recv", 0, 8),), by),
        ("reader", 1, "other", (("recv", 1, 8),), by),
        (
            "soon",
            "c0",
            (("send", 0, sent), ("abandon", 0, how)) if then else (("abandon", 0, how), ("send", 0, sent)),
        ),
        ("later", "c1", 3, (("send", 1, 1),)),
        ("later", "c2", 5, ()),
        ("run",),
        ("measure", "before"),
        ("later", "c3", 40, ()),
        ("run",),
        ("measure", "after"),
    )


@rule(
    "IO-05",
    "C",
    "an fd closed without removal neither kills the loop, nor starves others, nor spins the CPU",
    source="libuv #1148; uvloop #61; trio #1272; epoll(7), questions and answers",
    # The first of each is what Hypothesis starts with: the case that is hardest on a loop is never missed.
    programs=st.builds(
        _abandoning, _BY, st.sampled_from(["dup", ""]), st.sampled_from([1, 0]), st.integers(0, 1)
    ),
    timed=True,
    cost=3,
)
def abandoned(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for label in ("other", "c1", "c2", "c3"):
        if not history.begins(label) and not history.first(
            "watched", label=label if label == "other" else "none"
        ):
            yield Finding(f"{label} runs all the same", "it never ran")
    yield from late(history, history.scheduled("later"))
    if history.first("gave-up", "closed"):
        yield Finding("the callback of the closed fd rests", f"it was called {READER_LIMIT} times in a row")
    yield from _idle(history, 0.04)


def _idle(history: History, rest_s: float) -> Iterator[Finding]:
    before, after = history.first("measured", "before"), history.first("measured", "after")
    if before and after and after["cpu_s"] - before["cpu_s"] > 0.6 * rest_s:
        busy = after["cpu_s"] - before["cpu_s"]
        yield Finding(
            f"the loop sleeps through {rest_s * 1000:.0f} ms without work",
            f"it used {busy * 1000:.0f} ms of CPU",
        )


def _reusing(by: str, how: str, removed: bool, sent: bool, nested: bool) -> Program:
    """An fd is closed, its number comes to a new pair, and the number is watched anew."""
    change: tuple[Action, ...] = (
        *((("send", 0, 3),) if sent else ()),
        *((("unreader", 0),) if removed else ()),
        ("abandon", 0, how),
        ("reuse", 0),
        ("reader", 0, "new", (("recv", 0, 8),), by),
    )
    trigger = (
        ("reader", 1, "trigger", (("recv", 1, 8), *change), by) if nested else ("soon", "trigger", change)
    )
    return (
        ("reader", 0, "old", (), by),
        trigger,
        *((("send", 1, 1),) if nested else ()),
        ("run",),
        ("later", "c0", 2, (("send", 0, 1),)),
        ("run",),
    )


@rule(
    "IO-06",
    "C",
    "an fd number that is used again gets no event of its former owner, and can be watched anew",
    source="libuv joyent-826; swift-nio #341; twisted #12681; eventlet",
    programs=st.builds(
        _reusing, _BY, st.sampled_from(["", "dup"]), st.booleans(), st.booleans(), st.booleans()
    ),
    needs="descriptors",
    cost=2,
)
def reused(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    fresh = history.first("reused")
    new = history.first("watched", "new")
    if fresh is None or new is None:
        return
    if new["error"]:
        yield Finding("the number can be watched anew", f"add_reader raised {new['error']}")
        return
    sent = next((event for event in history.of("sent", label="0") if event.index > fresh.index), None)
    begins = history.begins("new")
    for begin in begins:
        if sent is None or begin.index < sent.index:
            yield Finding(
                "the new owner is called when data comes for it",
                "it was called with an event of the former owner",
            )
            return
    if any(begin.index > new.index for begin in history.begins("old")):
        yield Finding(
            "the former owner's callback never runs again", "it ran after the number was watched anew"
        )
    if sent is not None and not begins:
        yield Finding("the new owner is told of its data", "it was never called")


_PIPES = st.sampled_from([False, True][: 1 + KINDS["pipe r"].available])


def _hanging_up(side: str, by: str, sent: int, fill: bool, pipe: bool) -> Program:
    body: Program = (("recv", 0, 64), ("unreader", 0)) if side == "reader" else (("unwriter", 0),)
    return (
        *((("pipe", 0, "r" if side == "reader" else "w"),) if pipe else ()),
        *((("fill", 0),) if fill and side == "writer" else ()),
        (side, 0, "ready", body, by),
        ("later", "c0", 2, ((("send", 0, sent),) if sent and side == "reader" else ()) + (("hangup", 0),)),
        ("later", "c1", 4, ()),
        ("run",),
        ("measure", "before"),
        ("later", "c2", 30, ()),
        ("run",),
        ("measure", "after"),
    )


@rule(
    "IO-07",
    "C",
    "a hang-up or an error wakes reader and writer, and does not spin once they are gone",
    source="poll(2), POLLHUP and POLLERR; twisted #2809",
    programs=st.builds(_hanging_up, _SIDES, _BY, st.integers(0, 1), st.booleans(), _PIPES),
    timed=True,
    cost=2,
)
def hang_up(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    watched = history.first("watched", "ready")
    if watched is None or watched["error"]:
        return
    if not history.begins("ready"):
        yield Finding(f"the {watched['side']} is woken by the hang-up", "it never ran")
    yield from _idle(history, 0.03)
