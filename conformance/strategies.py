"""How programs are made up: building blocks of Hypothesis strategies.

The blocks leave labels open (``None``) and refer to callbacks by number; ``programs`` fills in the names, c0,
c1, … in the order in which they stand, so that a shrunk program reads from top to bottom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .program import Action, Program
from .vocabulary import LOOP_ACTIONS

Body = SearchStrategy[Program]
Way = Callable[[Body], SearchStrategy[Action]]
"""A way to schedule: from a strategy of bodies to one of actions."""

EMPTY: Body = st.just(())
NEAR_MS = st.integers(1, 60).map(lambda tenths: tenths / 10)
"""0.1 to 6 ms."""
VALUES = st.integers(1, 9)


OUTLASTING_MS = 3


def outlasting(label: str) -> Program:
    """Timers one inside the other, so that a run outlasts what came before.

    A loop that has callbacks to run may look at its files a little later (rloop: after 0.25 ms); while it
    waits for a timer it looks. On a busy machine one timer may be due before that.
    """
    return (("later", label, OUTLASTING_MS, (("later", f"{label}+", OUTLASTING_MS, ()),)),)


def action(kind: str, *arguments: Any) -> SearchStrategy[Action]:
    """An action of that kind; arguments that are no strategies stand for themselves."""
    made = [a if isinstance(a, SearchStrategy) else st.just(a) for a in arguments]
    return st.tuples(st.just(kind), *made)


def soon(body: Body = EMPTY) -> SearchStrategy[Action]:
    return action("soon", None, body)


def threadsafe(body: Body = EMPTY) -> SearchStrategy[Action]:
    return action("threadsafe", None, body)


def later(ms: Any = NEAR_MS) -> Way:
    """A way: call_later with such a delay."""
    return lambda body: action("later", None, ms, body)


def at(ms: Any = NEAR_MS) -> Way:
    """A way: call_at with such a deadline."""
    return lambda body: action("at", None, ms, body)


def with_value(way: Way) -> Way:
    """The same way, now and then in a context of its own."""
    return lambda body: st.one_of(
        way(body), st.tuples(way(body), VALUES).map(lambda pair: (*pair[0], pair[1]))
    )


CANCEL = action("cancel", st.integers(0, 7))
PROBE = action("probe", st.integers(0, 7))


def bodies(
    ways: Sequence[Way],
    leaves: Sequence[SearchStrategy[Action]] = (),
    *,
    min_size: int = 1,
    max_leaves: int = 10,
) -> Body:
    """Bodies of callbacks nested in callbacks, scheduled in those ways, with those leaves among them."""
    flat = st.one_of(*(way(EMPTY) for way in ways), *leaves)
    nested = st.recursive(
        flat,
        lambda inner: st.one_of(*(way(st.lists(inner, max_size=3).map(tuple)) for way in ways)),
        max_leaves=max_leaves,
    )
    return st.lists(nested, min_size=min_size, max_size=5).map(tuple)


STEP = st.sampled_from([("yield",), ("pause", 0.5), ("pause", 1), ("pause", 2), ("pause", 0)])
"""A step of a task that waits for nobody else."""
AWAIT: SearchStrategy[Action] = st.just(("await", "f0"))
Block = Callable[[Body], SearchStrategy[Action]]
"""A block of steps: from a strategy of steps to one of actions."""


def steps(leaves: SearchStrategy[Action], blocks: Sequence[Block], *, max_leaves: int = 6) -> Body:
    """Steps of a task, some of them in such blocks, which may stand inside each other."""
    nested = st.recursive(
        leaves,
        lambda inner: st.one_of(*(block(st.lists(inner, max_size=3).map(tuple)) for block in blocks)),
        max_leaves=max_leaves,
    )
    return st.lists(nested, min_size=1, max_size=4).map(tuple)


def several(actions: SearchStrategy[Action], least: int = 1, most: int = 4) -> Body:
    """A body of that many such actions."""
    return st.lists(actions, min_size=least, max_size=most).map(tuple)


def joined(*parts: Any) -> Body:
    """One body from parts: bodies, strategies of bodies, or single actions as tuples."""
    made = [part if isinstance(part, SearchStrategy) else st.just(_as_body(part)) for part in parts]
    return st.tuples(*made).map(lambda bodies_: tuple(action_ for body in bodies_ for action_ in body))


def _as_body(part: Any) -> Program:
    return (part,) if part and isinstance(part[0], str) else tuple(part)


def programs(*parts: Any) -> SearchStrategy[Program]:
    """Whole programs from parts, as ``joined``, with the names filled in."""
    return joined(*parts).map(named)


def named(program: Program) -> Program:
    """Give the callbacks their names, and turn numbers that refer to callbacks into names."""
    names: list[str] = []
    labelled = _label(program, names)
    return _refer(labelled, names)


def _label(body: Program, names: list[str]) -> Program:
    done = []
    for kind, *arguments in body:
        fields = [field.rstrip("?") for field in LOOP_ACTIONS[kind].fields] if kind in LOOP_ACTIONS else []
        made: list[Any] = []
        for field, argument in zip(fields, arguments, strict=False):
            if field == "label" and argument is None:
                argument = f"c{len(names)}"  # noqa: PLW2901
                names.append(argument)
            made.append(_label(argument, names) if field == "body" else argument)
        done.append((kind, *made) if fields else (kind, *arguments))
    return tuple(done)


def _refer(body: Program, names: list[str]) -> Program:
    done: list[Action] = []
    for kind, *arguments in body:
        if kind in ("cancel", "probe") and isinstance(arguments[0], int):
            if names:
                done.append((kind, names[arguments[0] % len(names)]))
            continue
        done.append((kind, *(_refer(a, names) if isinstance(a, tuple) else a for a in arguments)))
    return tuple(done)
