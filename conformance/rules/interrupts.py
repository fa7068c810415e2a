"""SIG: Ctrl-C that nobody handles."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import action, joined, programs, several
from ..vocabulary.signals import PRESSED_BY, SIGNALS
from .rule import Finding, rule

_OVERSLEPT = ("later", "overslept", 700, ())
"""A loop that Ctrl-C does not wake comes to this timer first."""
_SENDERS = PRESSED_BY if sys.platform == "linux" else ("thread",)
"""A child can only send to the process; elsewhere than on Linux another thread may then be interrupted."""
_FAR_MS = st.integers(10, 100).map(lambda seconds: seconds * 1000)
# Nothing of it is due while the loop is watched.
_PENDING = several(
    st.one_of(
        action("later", None, _FAR_MS, st.just(())),
        action("soon", None, several(action("later", None, _FAR_MS, st.just(())), 0, 2)),
        action("reader", st.integers(0, 1), None, st.just((("recv", 0, 8),))),
        action("add_signal", st.sampled_from(SIGNALS), None, st.just(())),
        action("task", "t0", st.just((("await", "f0"),))),
        st.just(("executor", "job")),
        st.just(("debug",)),
    ),
    0,
    4,
)


@rule(
    "SIG-08",
    "C",
    "Ctrl-C that nobody handles ends the run of a loop that sleeps with KeyboardInterrupt, at once",
    source="asyncio-runner docs, Handling Keyboard Interruption; Lib/asyncio/base_events.py; PEP 475",
    programs=programs(
        joined((("future", "f0"),), _PENDING, (_OVERSLEPT,)),
        action("press", st.sampled_from(_SENDERS), st.integers(3, 20)).map(lambda press: (press,)),
        st.sampled_from([("run",), ("run_until", "f0")]).map(lambda run: (run,)),
    ),
    timed=True,
    cost=3,
    needs="signals",
)
def interrupted_asleep(history: History) -> Iterator[Finding]:
    for pressed in history.of("pressed"):
        after = history.events[pressed.index :]
        returned = next((event for event in after if event.kind == "returned"), None)
        if returned is None:
            continue
        slept_on = any(
            event.index < returned.index and (event.kind == "patience" or event.label == "overslept")
            for event in after
        )
        if slept_on:
            yield Finding("Ctrl-C wakes the loop", "it slept on until a timer was due")
        elif not str(returned["error"]).startswith("KeyboardInterrupt"):
            ended = returned["error"] or f"{returned['result']}"
            yield Finding("the run ends with KeyboardInterrupt", f"it ended with {ended}")
