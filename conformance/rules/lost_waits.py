"""IO: calls on sockets that are closed while a task waits in them."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import action, later, programs, several, soon
from .queries import runs_ended
from .rule import Finding, rule
from .task_queries import every_task_ends

_CLOSING = st.just((("abandon", 0),))
_MEANWHILE = st.one_of(soon(), later()(st.just(())), action("send", 1, 1))


@rule(
    "IO-11",
    "own",
    "a sock_*() call whose socket is closed while it waits ends, with an error",
    source="trio #1272; close(2): the effect on other calls that use the file is left open",
    programs=programs(
        (("recv", 0, 1), ("fill", 0)),  # both directions have to wait
        several(
            st.sampled_from([("sock_recv", 0, 8), ("sock_sendall", 0, 5000)]).map(
                lambda call: ("task", "t0", (call,))
            ),
            1,
            1,
        ),
        several(st.one_of(_MEANWHILE, soon(several(_MEANWHILE, 1, 2))), 0, 3),
        several(st.one_of(soon(_CLOSING), soon(several(soon(_CLOSING), 1, 1)), later()(_CLOSING)), 1, 1),
        ("run",),
    ),
    capability="lost-waits",
    cost=3,
)
def lost_waits_end(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for left in history.of("sock-left"):
        if history.of("abandoned") and left["how"] != "failed":
            yield Finding(f"{left['method']}() on a closed socket raises an OSError", f"it {left['how']}")
