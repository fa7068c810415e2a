"""SIG: handlers of signals, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..program import Program
from ..strategies import OUTLASTING_MS, action, bodies, later, named, programs, several, soon
from ..vocabulary.signals import REFUSED_ADDITIONS, SIGNALS
from .queries import LATE_S, each_once, late, runs_ended
from .rule import Finding, rule

_DOCS = "asyncio-eventloop docs, Unix signals"
_SIGNAL = st.sampled_from(SIGNALS)
_KILLS = action("kill", _SIGNAL, st.integers(1, 3))
_ADD = action("add_signal", _SIGNAL, None, several(st.one_of(soon(), later()(st.just(()))), 0, 2))
_REMOVE = action("remove_signal", _SIGNAL)
_REFUSE = action("refuse_signal", st.sampled_from(sorted(REFUSED_ADDITIONS)))
_IN_THREAD = st.tuples(
    st.just("thread"),
    st.just("T"),
    several(st.one_of(_KILLS, action("block", st.integers(0, 5))), 1, 4),
)
# A handler that always sends its own signal would never let the program end.
_RESEND = action("resend", st.integers(1, 3))
_NESTED_ADD = action("add_signal", _SIGNAL, None, several(st.one_of(_ADD, _REMOVE, _RESEND, soon()), 0, 3))


def _added(history: History) -> dict[str, str]:
    """The signal of each handler that was taken."""
    return {event.label: event["signal"] for event in history.of("signal-added") if not event["error"]}


def _begins(history: History, name: str) -> list[Event]:
    """The runs of all handlers of that signal."""
    handlers = {label for label, its in _added(history).items() if its == name}
    return [event for event in history.of("begin") if event.label in handlers]


def _taken_away(history: History, sent: Event) -> bool:
    """Whether the handler was removed or replaced after that, or the loop did not run any more.

    Nobody says which of two handlers gets a signal that comes before the second and is looked at after it.
    """
    later_ones = history.events[sent.index :]
    changed = any(
        (event.kind == "signal-removed" and event.label == sent.label and event["was_there"])
        or (event.kind == "signal-added" and event["signal"] == sent.label)
        for event in later_ones
    )
    return changed or not any(event.kind in ("returned", "runner-returned") for event in later_ones)


def _refused(history: History) -> Iterator[Finding]:
    for event in history.of("signal-added", "signal-removed"):
        if event["error"]:
            call = "add" if event.kind == "signal-added" else "remove"
            yield Finding(f"{call}_signal_handler is obeyed", f"it raised {event['error']}")


def _delivered(history: History) -> Iterator[Finding]:
    """Every signal was followed by a run of its handler, and no run came without a signal."""
    yield from _refused(history)
    for sent in history.of("signal-sent"):
        heard = any(begin.index > sent.index for begin in _begins(history, sent.label))
        if not heard and not _taken_away(history, sent):
            yield Finding(f"the handler of {sent.label} runs after the signal", "it did not run any more")
    for name in SIGNALS:
        sent_times, runs = len(history.of("signal-sent", label=name)), len(_begins(history, name))
        if runs > sent_times:
            yield Finding(
                f"the handler of {name} runs at most once for each signal",
                f"{sent_times} were sent, and it ran {runs} times",
            )


_HEARD = programs(
    several(_NESTED_ADD, 1, 3),
    several(
        st.one_of(
            soon(several(st.one_of(_KILLS, _ADD, _REMOVE), 1, 4)),
            later()(several(st.one_of(_KILLS, _ADD, _REMOVE), 1, 3)),
            soon(_IN_THREAD.map(lambda thread: (thread,))),
        ),
        1,
        4,
    ),
    ("run",),
)
# Small ones: a signal that is lost costs patience in each play, so that large ones are hardly shrunk.
_HEARD_OF_TWO = programs(
    (("add_signal", "SIGUSR1", None, ()), ("add_signal", "SIGUSR2", None, ())),
    several(_REMOVE, 1, 1),
    several(soon(several(_KILLS, 1, 2)), 1, 2),
    ("run",),
)
# Nothing else is due that would wake the loop.
_HEARD_AT_REST = programs(
    action("add_signal", "SIGUSR1", None, st.just(())).map(lambda added: (added,)),
    action("block", st.integers(1, 5)).map(
        lambda block: (("soon", None, (("thread", "T", (block, ("kill", "SIGUSR1", 1))),)),)
    ),
    ("run",),
)


@rule(
    "SIG-01",
    "R",
    "a signal's handler runs in the loop after each delivery, of which several may merge; "
    "it wakes an idle loop",
    source=f"{_DOCS}; CPython test_events",
    programs=st.one_of(_HEARD_OF_TWO, _HEARD, _HEARD, _HEARD_AT_REST),
    timed=True,
    needs="signals",
)
def heard(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from _delivered(history)
    yield from each_once(history, history.scheduled())
    ended_by: dict[str, int] = {}
    for event in history.of("signal-added", "signal-removed"):
        name = event.get("signal") or event.label
        for label, its in _added(history).items():
            if its == name and label != event.label and not event["error"]:
                added = history.first("signal-added", label)
                if added is not None and added.index < event.index:
                    ended_by.setdefault(label, event.index)
    for label, name in _added(history).items():
        begins = history.begins(label)
        for begin in begins:
            if begin.lane != "loop" or begin["depth"]:
                yield Finding(f"{label} runs as a callback of the loop", "it ran inside another callback")
        if label in ended_by:
            before = [sent for sent in history.of("signal-sent", label=name) if sent.index < ended_by[label]]
            if len(begins) > len(before):
                yield Finding(
                    f"{label} runs for no signal that came after it was replaced or removed",
                    f"{len(before)} came before, and it ran {len(begins)} times",
                )
    yield from _prompt(history)


def _prompt(history: History) -> Iterator[Finding]:
    for sent in history.of("signal-sent"):
        begin = next((e for e in _begins(history, sent.label) if e.index > sent.index), None)
        if begin is not None and begin.at - sent.at > LATE_S * history.tolerance:
            waited_ms = (begin.at - sent.at) * 1000
            yield Finding(
                f"{sent.label} wakes the loop", f"its handler ran {waited_ms:.0f} ms after it was sent"
            )


@rule(
    "SIG-02",
    "R",
    "a signal that does not exist or cannot be caught is a ValueError; from another thread no handler is "
    "taken; remove_signal_handler says whether there was one",
    source=f"{_DOCS}; CPython test_unix_events",
    programs=programs(
        several(
            st.one_of(_ADD, _REMOVE, action("refuse_signal", st.sampled_from(sorted(REFUSED_ADDITIONS)))),
            1,
            6,
        ),
        soon(several(st.one_of(_ADD, _REMOVE), 0, 4)).map(lambda a: (a,)),
        ("run",),
        several(_REMOVE, 0, 3),
    ),
    needs="signals",
)
def refused(history: History) -> Iterator[Finding]:
    for event in history.of("signal-refused"):
        fitting = REFUSED_ADDITIONS[event.label]
        if not str(event["error"]).startswith(fitting):
            yield Finding(
                f"add_signal_handler refuses to {event.label}: {' or '.join(fitting)}",
                f"it raised {event['error'] or 'nothing'}",
            )
    yield from _refused(history)
    for event in history.of("signal-removed"):
        if not event["error"] and event["result"] is not event["was_there"]:
            there = "a handler" if event["was_there"] else "no handler"
            yield Finding(
                f"remove_signal_handler returns {event['was_there']}: {event.label} had {there}",
                f"it returned {event['result']!r}",
            )


@rule(
    "SIG-03",
    "C",
    "a signal that comes after its handler was added and before the loop runs, or between two runs, is heard",
    source="CPython test_events; Lib/asyncio/unix_events.py",
    programs=programs(
        several(_ADD, 1, 2),
        several(st.one_of(_KILLS, soon(), _ADD), 1, 4),
        ("run",),
        several(st.one_of(_KILLS, soon()), 0, 2),
        ("run",),
    ),
    needs="signals",
)
def kept(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from _delivered(history)


_OVERSLEPT = ("later", "overslept", 700, ())
"""A loop that Ctrl-C does not wake comes to this timer first."""


def _ctrl_c(where: str, ms: float, work: Program, again: bool) -> Program:
    presses: Program = (("interrupt",), *((("interrupt",),) if again else ()))
    body: Program = {
        "callback": (("soon", "presses", presses),),
        "timer": (("later", "presses", ms, presses),),
        "thread": (("thread", "T", (("block", ms), *presses)),),
        "main": presses,
    }[where]
    return named((("runner", "main", (*work, _OVERSLEPT, *body), 1500),))


@rule(
    "SIG-04",
    "R",
    "Ctrl-C under asyncio.Runner cancels the main task, lets it clean up, "
    "and raises KeyboardInterrupt after that",
    source="asyncio-runner docs, Handling Keyboard Interruption; CPython test_runners",
    programs=st.builds(
        _ctrl_c,
        st.sampled_from(["thread", "timer", "callback", "main"]),
        st.integers(1, 20),
        bodies([soon, later()], [action("again", st.integers(1, 3))], min_size=0, max_leaves=4),
        # A second Ctrl-C leaves at once: whether the main task is cleaned up first is not said.
        st.sampled_from([False, False, True]),
    ),
    timed=True,
    cost=2,
    needs="signals",
)
def interrupted(history: History) -> Iterator[Finding]:
    for returned in history.of("runner-returned"):
        presses = history.of("interrupted")
        main = returned.label
        if not history.of("main-started", label=main):
            yield Finding("a Runner runs its main coroutine", f"it raised {returned['error']}")
        if not presses:
            continue
        if not str(returned["error"]).startswith("KeyboardInterrupt"):
            yield Finding(
                "Runner.run() ends with KeyboardInterrupt after Ctrl-C",
                f"it ended with {returned['error'] or 'a result'}",
            )
        if len(presses) > 1:
            continue
        overslept = history.first("begin", "overslept")
        if overslept is not None and presses[0].index < overslept.index < returned.index:
            yield Finding("Ctrl-C wakes the loop", "it slept on until a timer was due")
        for kind, what in (
            ("main-cancelled", "its main task gets a CancelledError"),
            ("main-cleaned", "its main task cleans up"),
        ):
            if not any(
                presses[0].index < event.index < returned.index for event in history.of(kind, label=main)
            ):
                yield Finding(f"{what} before the run ends", "it did not")


def _storm(rounds: int, work: Program, timers: list[float], name: str, turns: int) -> Program:
    """Data for a reader comes some turns after the storm began, and timers come due within it."""
    sending: Program = (("send", 0, 1),)
    for _ in range(turns):
        sending = (("soon", None, sending),)
    return named(
        (
            ("add_signal", name, "storm", (("resend", rounds), *work)),
            ("reader", 0, "reader", (("recv", 0, 8),)),
            *(("later", None, ms, ()) for ms in timers),
            ("soon", None, (("kill", name), *sending)),
            ("run",),
        )
    )


STARVED = 60
"""After so many runs of a handler a loop that looks at anything else at all has done so."""


@rule(
    "SIG-05",
    "C",
    "a storm of signals starves neither I/O nor timers",
    source="PEP 475; CPython selector_events",
    programs=st.builds(
        _storm,
        st.integers(2, 4).map(lambda tens: tens * 100),
        st.sampled_from([(), (("soon", None, ()),), (("send", 1, 1),)]),
        st.lists(st.integers(1, 20).map(lambda tenths: tenths / 10), min_size=1, max_size=3),
        _SIGNAL,
        st.integers(4, 12),
    ),
    timed=True,
    cost=3,
    needs="signals",
)
def not_starved(history: History) -> Iterator[Finding]:
    yield from _refused(history)
    yield from runs_ended(history)
    storm = history.begins("storm")
    sent, watched = history.first("sent", "0"), history.first("watched", "reader")
    if sent is not None and watched is not None and not watched["error"]:
        served = history.first("begin", "reader")
        before = sum(run.index > sent.index and (served is None or run.index < served.index) for run in storm)
        if before > STARVED:
            yield Finding(
                "the reader is told of its data within the storm",
                f"the handler ran {before} times before it",
            )
    for call in history.scheduled("later"):
        begins = history.begins(call.label)
        due = call["loop_after"] + call["delay"]
        ran = begins[0].index if begins else len(history.events)
        overtaken = sum(run.index < ran and run["loop_time"] > due + history.resolution for run in storm)
        if overtaken > STARVED:
            yield Finding(
                f"{call.label} runs within the storm", f"{overtaken} signals were handled after it was due"
            )
    yield from late(history, history.scheduled("later"))


def _flooded(flooding: str, count: int) -> Program:
    """More signals of one kind than a wake-up pipe has room for, and one of the other kind after them."""
    other = next(name for name in SIGNALS if name != flooding)
    signals: Program = (("kill", flooding, count), ("kill", other))
    return (
        ("add_signal", flooding, "flood", ()),
        ("add_signal", other, "single", ()),
        ("soon", "c0", signals),
        ("run",),
    )


@rule(
    "SIG-06",
    "R",
    "no signal is lost because many of another kind came before the loop looked",
    source=f"{_DOCS}; signal.set_wakeup_fd docs, warn_on_full_buffer; gh-156054",
    # A handful, for each play of a loop that loses the signal lasts until patience runs out.
    programs=st.sampled_from([_flooded(name, count) for count in (500, 1000) for name in SIGNALS]),
    cost=8,
    needs="signals",
)
def none_crowded_out(history: History) -> Iterator[Finding]:
    yield from _refused(history)
    for label in ("single", "flood"):
        if history.of("signal-sent") and not history.begins(label):
            yield Finding(f"{label} runs: a signal of its kind came", "it never ran")


# Once a handler is replaced nobody waits for the signal; a loop may look at its files a little later.
_OUTLASTING = ("later", "outlasting", 10, (("later", "outlasting+", OUTLASTING_MS, ()),))
_REPLACING = action("add_signal", _SIGNAL, None, several(soon(), 0, 1))


@rule(
    "SIG-07",
    "C",
    "a signal that waits while its handler is replaced reaches the former handler or the new one",
    source="Lib/asyncio/unix_events.py: the handler is looked up when the loop hears of the signal",
    programs=programs(
        tuple(("add_signal", name, f"first {name}", ()) for name in SIGNALS),
        several(
            st.one_of(
                soon(several(st.one_of(_KILLS, _REPLACING), 2, 4)),
                soon(several(st.one_of(_KILLS, _REPLACING, soon(several(_REPLACING, 1, 1))), 1, 3)),
                later()(several(st.one_of(_KILLS, _REPLACING), 1, 3)),
            ),
            1,
            4,
        ),
        (_OUTLASTING,),
        ("run",),
    ),
    needs="signals",
)
def handed_on(history: History) -> Iterator[Finding]:
    yield from _refused(history)
    returned = history.of("returned")
    for sent in history.of("signal-sent"):
        ran_on = any(event.index > sent.index for event in returned)
        heard = any(begin.index > sent.index for begin in _begins(history, sent.label))
        if ran_on and not heard:
            yield Finding(
                f"a handler of {sent.label} runs after the signal", "it was replaced, and none of them ran"
            )
