"""SEL: what a selector promises."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..program import Program
from ..selector_walks import ANY_LETTERS, ends
from ..strategies import action
from ..vocabulary.selectors import FAILURES, REFUSALS
from .rule import Finding, rule

_TEST_SELECTORS = "CPython test_selectors"
_PAIR = st.integers(0, 2)
_WANTED = {
    name: "ValueError" if name.startswith("register ") and name != "register twice" else "KeyError"
    for name in REFUSALS
}


def _programs(
    *kinds: st.SearchStrategy[tuple[object, ...]], least: int = 1, most: int = 12
) -> st.SearchStrategy[Program]:
    return st.lists(st.one_of(*kinds), min_size=least, max_size=most).map(tuple)


_CHANGES = (
    action("register", _PAIR, ANY_LETTERS),
    action("register", _PAIR, ANY_LETTERS),
    action("modify", _PAIR, ANY_LETTERS),
    action("unregister", _PAIR),
    action("unregister", _PAIR),
)


@rule(
    "SEL-01",
    "R",
    "a second register, or unregister, modify and get_key of what is not there, raise KeyError; "
    "bad events or fds ValueError",
    source=f"selectors docs, BaseSelector; {_TEST_SELECTORS}",
    programs=st.tuples(
        _programs(*_CHANGES, least=0, most=3),
        st.lists(st.sampled_from(REFUSALS), min_size=1, max_size=len(REFUSALS), unique=True),
    ).map(lambda made: (*made[0], *(("refuse", name) for name in made[1]))),
    judges="selector",
)
def refusals(history: History) -> Iterator[Finding]:
    for event in history.of("refused"):
        if event.label in _WANTED:
            if event["error"] != _WANTED[event.label]:
                yield Finding(
                    f"{event.label}: {_WANTED[event.label]}", event["error"] or "nothing was raised"
                )
            if event["before"] != event["after"]:
                yield Finding(
                    f"{event.label}: the map stays as it was",
                    f"it went from {event['before']} to {event['after']} keys",
                )
    for change in history.of("changed"):
        if change["known"] is None:
            continue
        wrong = change["known"] == (change.label == "register")
        if wrong != str(change["error"]).startswith("KeyError"):
            expected = "KeyError" if wrong else "no error"
            yield Finding(
                f"{change.label} of a {'known' if change['known'] else 'new'} fd: {expected}",
                change["error"] or "no error",
            )


@rule(
    "SEL-02",
    "R",
    "get_map is a live read-only mapping; keys carry fileobj, fd, events and data",
    source=f"selectors docs, BaseSelector.get_map; {_TEST_SELECTORS}",
    programs=st.tuples(ANY_LETTERS, ANY_LETTERS, _programs(*_CHANGES, st.just(("map",)), least=0)).map(
        lambda made: (("register", 0, made[0]), ("modify", 0, made[1]), ("map",), *made[2], ("map",))
    ),
    judges="selector",
)
def live_map(history: History) -> Iterator[Finding]:
    for event in history.of("mapped"):
        for problem in event["problems"]:
            yield Finding("get_map and get_key show what is registered", problem)


@rule(
    "SEL-03",
    "C",
    "a failed kernel call leaves no stale key: register and modify are atomic",
    source="bpo-30014",
    programs=_programs(action("fail", st.sampled_from(FAILURES)), *_CHANGES, most=4),
    judges="selector",
)
def atomic(history: History) -> Iterator[Finding]:
    for event in history.of("failed"):
        for problem in event["problems"]:
            yield Finding(f"{event.label} fails and leaves nothing behind, or works", problem)


@rule(
    "SEL-04",
    "R",
    "a timeout of 0 or less does not block, None blocks, a value waits at least that long, "
    "and signals do not cut it short",
    source="selectors docs, BaseSelector.select; PEP 475; select.epoll, select.poll docs",
    programs=st.one_of(
        st.tuples(st.sampled_from([0, -1, -1000, 0.3, 1.5, 3])).map(
            lambda t: (("register", 0, "r"), ("select", t[0]))
        ),
        st.tuples(st.integers(1, 4)).map(
            lambda t: (("register", 0, "r"), ("wake", 0, t[0]), ("select", "none"))
        ),
        st.tuples(st.integers(2, 4)).map(lambda t: (("register", 0, "r"), ("alarm", t[0]), ("select", 8))),
    ),
    judges="selector",
    needs="itimer",
)
def timeouts(history: History) -> Iterator[Finding]:
    for event in history.of("selected"):
        wanted, elapsed = event["timeout"], event["elapsed"]
        if event["error"]:
            yield Finding(f"select({wanted}) returns", f"it raised {event['error']}")
        elif wanted is None:
            if not event["seen"]:
                yield Finding("select(None) blocks until something is ready", "it returned nothing")
        elif wanted <= 0 and elapsed > 0.2 * history.tolerance:
            yield Finding(f"select({wanted}) does not block", f"it took {elapsed * 1000:.0f} ms")
        elif wanted > 0 and not event["seen"] and elapsed < wanted - history.resolution:
            yield Finding(
                f"select({wanted}) waits that long when nothing is ready", f"it took {elapsed:.6f} s"
            )


@rule(
    "SEL-05",
    "C",
    "with nothing registered, select honours its timeout",
    source="bpo-29255; bpo-23009",
    programs=st.tuples(st.booleans(), st.lists(st.sampled_from([0, 0.5, 2, -1]), min_size=1, max_size=3)).map(
        lambda made: (
            *((("register", 0, "rw"), ("unregister", 0)) if made[0] else ()),
            *(("select", ms) for ms in made[1]),
        )
    ),
    judges="selector",
)
def empty_select(history: History) -> Iterator[Finding]:
    for event in history.of("selected"):
        if event["error"]:
            yield Finding(
                f"select({event['timeout']}) with nothing registered waits", f"it raised {event['error']}"
            )
        elif event["elapsed"] < (event["timeout"] or 0) - history.resolution:
            yield Finding(f"select({event['timeout']}) waits that long", f"it took {event['elapsed']:.6f} s")


@rule(
    "SEL-06",
    "C",
    "unregister works after the fd was closed, and the number can be registered again",
    source=_TEST_SELECTORS,
    programs=st.tuples(ANY_LETTERS, ANY_LETTERS, st.booleans()).map(
        lambda made: (
            ("register", 1, "r"),
            ("register", 0, made[0]),
            *((("select", 0),) if made[2] else ()),
            ("abandon", 0),
            ("forget", 0),
            ("reuse", 0),
            ("register", 0, made[1]),
            ("send", 0, 1),
            ("send", 1, 1),
            ("select", 1),
        )
    ),
    judges="selector",
    needs="descriptors",
)
def closed_then_unregistered(history: History) -> Iterator[Finding]:
    for change in history.of("changed"):
        if change["error"]:
            yield Finding(f"{change.label} works", f"it raised {change['error']}")
    yield from agrees(history)


@rule(
    "SEL-07",
    "C",
    "no event is lost or invented, "
    "whatever is registered, modified, unregistered, sent, shut down and closed",
    source="poll(2) asked about each fd alone; gh-110038",
    programs=ends(),
    judges="selector",
    cost=0.2,
)
def agrees(history: History) -> Iterator[Finding]:
    yield from works(history)


def works(history: History, lanes: Collection[str] = ("main", "child")) -> Iterator[Finding]:
    """What changes and waits in those lanes owe and do not give; refusals are the business of SEL-01."""
    for change in history.of("changed"):
        refused = change["known"] is None or change["known"] == (change.label == "register")
        excused = refused and str(change["error"]).startswith("KeyError")
        if change["error"] and not excused and change.lane in lanes:
            yield Finding(f"{change.label} works", f"it raised {change['error']}")
    yield from _disagreements(
        (event for event in history.of("selected") if event.lane in lanes), history.resolution
    )


def _disagreements(selected: Iterable[Event], resolution: float) -> Iterator[Finding]:
    """Where waits and the model differ."""
    for event in selected:
        if event["error"]:
            yield Finding("select returns", f"it raised {event['error']}")
            continue
        early = not event["seen"] and event["elapsed"] < (event["timeout"] or 0) - resolution
        if early and event["settled"]:
            yield Finding(
                f"select({event['timeout']}) waits until something is ready",
                "it came back at once with nothing",
            )
        for problem in event["problems"]:
            yield Finding("select reports registrations, with what they asked for", problem)
        for pair, mask in event["must"].items():
            if mask & ~event["seen"].get(pair, 0):
                yield Finding(
                    f"file {pair} is reported as {_words(mask)}",
                    f"it was reported as {_words(event['seen'].get(pair, 0))}",
                )
        for pair, mask in event["seen"].items():
            if mask & ~event["may"].get(pair, 0):
                yield Finding(
                    f"file {pair} is reported as {_words(event['may'].get(pair, 0))}",
                    f"it was reported as {_words(mask)}",
                )


def _words(mask: int) -> str:
    words = ("not ready", "readable", "writable", "readable and writable")
    return words[mask] if 0 <= mask < len(words) else f"mask {mask}"


@rule(
    "SEL-08",
    "C",
    "more ready fds than one kernel batch are all served, and none starves",
    source="bpo-23009; epoll_wait(2), maxevents",
    programs=st.tuples(st.integers(1, 350), st.integers(6, 8)).map(
        lambda made: (("many", made[0]), *(("select", 5) for _ in range(made[1])))
    ),
    judges="selector",
    cost=4,
)
def all_served(history: History) -> Iterator[Finding]:
    selected = history.of("selected")
    for event in selected:
        if event["error"]:
            yield Finding("select returns", f"it raised {event['error']}")
            return
    if selected and selected[-1]["many_seen"] < selected[-1]["many_ready"]:
        last = selected[-1]
        yield Finding(
            f"{len(selected)} rounds report each of the {last['many_ready']} readable sockets at least once",
            f"{last['many_ready'] - last['many_seen']} were never reported",
        )
