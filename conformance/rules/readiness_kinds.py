"""IO, continued: readers and writers of files that are no connected sockets."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..program import Program
from ..strategies import action, outlasting, programs, several
from .queries import runs_ended
from .rule import Finding, rule

_SIDES = st.sampled_from(["reader", "writer"])
_METHODS = ("add_reader", "add_writer", "remove_reader", "remove_writer")
_CALLS = action("watch_link", st.just(0), st.sampled_from(_METHODS))
_TRAFFIC = st.one_of(
    _CALLS,
    action("peer_send", st.just(0), st.integers(1, 200)),
    action("write", st.just(0), st.integers(1, 200)),
)


@rule(
    "IO-08",
    "C",
    "add_reader and its kin refuse the descriptor of a transport with RuntimeError",
    source="python/asyncio #372; gh-88968; CPython test_selector_events",
    programs=programs(
        action("link", st.just(0), st.sampled_from(["unix", "tcp", "client", "server"])).map(lambda a: (a,)),
        action(
            "on",
            st.just(0),
            st.sampled_from(["connection_made", "connection_made", "data_received"]),
            several(_TRAFFIC, 1, 4),
        ).map(lambda a: (a,)),
        ("run",),
        several(_TRAFFIC, 0, 4),
        ("run",),
    ),
    cost=2,
)
def owned(history: History) -> Iterator[Finding]:
    for event in history.of("link-watched"):
        if not str(event["error"]).startswith("RuntimeError"):
            yield Finding(
                f"{event['call']}() of a transport's descriptor raises RuntimeError",
                f"it raised {event['error'] or 'nothing'}",
            )


def _plain(kinds: list[str], watched: list[tuple[int, str]]) -> Program:
    """Regular files and /dev/null are watched; the callbacks remove themselves."""
    return (
        *(("plain", pair, kind) for pair, kind in enumerate(kinds)),
        *(
            (side, pair % len(kinds), f"w{i}", ((f"un{side}", pair % len(kinds)),), "fd")
            for i, (pair, side) in enumerate(watched)
        ),
        ("later", "c0", 5, ()),
        ("run",),
    )


@rule(
    "IO-09",
    "C",
    "a regular file and /dev/null are refused with OSError, all of them and at once, or always ready",
    source="epoll_ctl(2), EPERM; poll(2); twisted #4429",
    programs=st.builds(
        _plain,
        st.lists(st.sampled_from(["file", "null"]), min_size=1, max_size=2),
        st.lists(st.tuples(st.integers(0, 1), _SIDES), min_size=1, max_size=3),
    ),
    needs="descriptors",
)
def plain_files(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    plain = {pair for _, pair, _ in history.actions("plain")}
    watched = [event for event in history.of("watched") if event["pair"] in plain]
    outcomes: dict[str, str] = {}
    for i, event in enumerate(watched):
        replaced = any((e["pair"], e["side"]) == (event["pair"], event["side"]) for e in watched[i + 1 :])
        error = event["error"]
        if error and not error.startswith(("PermissionError", "OSError", "ValueError")):
            yield Finding(f"add_{event['side']} takes a plain file or raises OSError", f"it raised {error}")
        elif error:
            outcomes[event.label] = f"refused: {error}"
        elif not replaced:
            if not history.begins(event.label):
                yield Finding(f"{event.label} is called: its file was taken", "it was never called")
            outcomes[event.label] = "called"
    if len(set(outcomes.values())) > 1:
        yield Finding("one outcome for all plain files", f"there are several: {outcomes}")


def _refusing(order: str, side: str, ms: int) -> Program:
    watch = (side, 0, "told", ((f"un{side}", 0),), "fd")
    steps: Program = (("connect", 0), watch)
    body: Program = {
        "at once": steps,
        "in a callback": (("soon", "c0", steps),),
        "in a timer": (("later", "c0", ms, steps),),
        "watched later": (("connect", 0), ("later", "c0", ms, (watch,))),
    }[order]
    return (("refused", 0), *body, ("later", "c1", ms, outlasting("c2")), ("run",))


@rule(
    "IO-10",
    "C",
    "a connection that is refused calls the writer, and the reader, of its socket",
    source="connect(2), EINPROGRESS; poll(2), POLLERR",
    programs=st.builds(
        _refusing,
        st.sampled_from(["at once", "in a callback", "in a timer", "watched later"]),
        st.sampled_from(["writer", "writer", "reader"]),
        st.integers(1, 5),
    ),
)
def refusal_is_told(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for event in history.of("watched", label="told"):
        if event["error"]:
            yield Finding(f"add_{event['side']} takes a socket that connects", f"it raised {event['error']}")
        elif not history.begins("told"):
            yield Finding(f"the {event['side']} is called: the connection was refused", "it never was")
