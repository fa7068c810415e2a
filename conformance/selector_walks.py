"""Programs about a selector, made up by walking through the states of the model.

A walk asks the books (``selector_model.py``) what makes sense next, has Hypothesis choose, and follows the
choice; so programs are long without being full of calls that are refused, and shrink one action at a time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from .file_kinds import KINDS, NUMBERS_CAN_BE_CHOSEN, WATCHED
from .program import Action, Program
from .selector_model import LETTERS, Books, File

_FILES = 3
_COPIES = 2
"""Numbers that only duplicates have."""
_LONGEST = 24
_GO_ON = st.sampled_from([False, *[True] * 15])
_TRAFFIC: dict[str, tuple[tuple[int | str, ...], ...]] = {
    "send": ((1,), (3,)),
    "recv": ((64,), (1,)),
    "fill": ((),),
    "drain": ((),),
    "connect": ((),),
    "shutdown": (("peer w",), ("ours r",), ("ours w",)),
    "hangup": ((),),
}
_NEEDS_NO_PEER = frozenset({"recv", "fill"})

Group = tuple[Action, ...]
"""Actions of a kind, the simplest first."""


@dataclass(frozen=True)
class Scope:
    """What may happen on a walk."""

    kinds: tuple[str, ...] = WATCHED
    losing: bool = False
    """Whether a registered file may be closed."""
    taking_over: bool = False
    """Whether a registered number may be given to another file."""
    closing: bool = False
    """Whether the selector may be closed."""
    traffic: bool = True


EVERYDAY = Scope()
ANY_LETTERS = st.sampled_from(tuple(LETTERS))


def books_of(program: Program) -> Books:
    """The books after that program."""
    books = Books()
    for step in program:
        books.follow(step)
    return books


@cache
def _any_of(options: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    # Kept, because a walk asks for the same ones again and again and building them takes half of its time.
    return st.sampled_from(options)


def _chosen_step(draw: DrawFn, books: Books, scope: Scope) -> Action:
    group: Group = draw(_any_of(_steps(books, scope)))
    step: Action = draw(_any_of(group))
    return step


def _steps(books: Books, scope: Scope) -> tuple[Group, ...]:
    """What makes sense next; a group that stands there twice comes twice as often."""
    found: list[Group] = [(("select", 0), ("select", 1))] * 2
    free = next((number for number in range(_FILES + _COPIES) if number not in books.files), None)
    for number in range(_FILES + _COPIES):
        file = books.files.get(number)
        if file is None:
            if number < _FILES:
                found.append(tuple(_openings(number, scope)))
            continue
        found += [tuple(_changes(number, file, scope))] * 2
        if scope.traffic:
            found += [tuple(_traffic(number, file))] * 2
    if free is not None:
        found.append(tuple(("dup", number, free) for number, file in books.files.items() if file.open))
    if scope.closing:
        found.append((("close",),))
    return tuple(group for group in found if group)


def _openings(number: int, scope: Scope) -> Iterator[Action]:
    for kind in scope.kinds:
        if kind == "socket":  # opens by itself
            yield from (("register", number, letters) for letters in LETTERS)
        else:
            yield ("open", number, kind)


def _changes(number: int, file: File, scope: Scope) -> Iterator[Action]:
    if not file.events:
        if file.open:
            yield from (("register", number, letters) for letters in LETTERS)
            yield ("abandon", number)
        yield from _reuses(number, scope)
    elif file.sound:
        yield from (("modify", number, letters) for letters in LETTERS)
        yield ("unregister", number)
        if scope.losing:
            yield from (("abandon", number), ("abandon", number, "dup"))
        if scope.taking_over:
            yield from _reuses(number, scope)
    else:
        yield ("forget", number)
        if file.open and not file.doubtful:
            yield from (("modify", number, letters) for letters in LETTERS)
        elif scope.taking_over and not file.open:
            yield from _reuses(number, scope)


def _reuses(number: int, scope: Scope) -> Iterator[Action]:
    """Few, whatever the number of kinds: they shall not crowd out the other changes of a file."""
    if NUMBERS_CAN_BE_CHOSEN:
        yield from (("reuse", number, scope.kinds[(number + turn) % len(scope.kinds)]) for turn in (0, 5, 11))


def _traffic(number: int, file: File) -> Iterator[Action]:
    for kind, arguments in _TRAFFIC.items():
        if kind in KINDS[file.kind].takes and (file.peer.open or kind in _NEEDS_NO_PEER):
            yield from ((kind, number, *some) for some in arguments)


def _walk(draw: DrawFn, books: Books, scope: Scope, most: int) -> Program:
    made: list[Action] = []
    while len(made) < most and not books.closed and (step := draw(_step(books, scope))) is not None:
        made.append(step)
        books.follow(step)
    return tuple(made)


@st.composite
def _step(draw: DrawFn, books: Books, scope: Scope) -> Action | None:
    # One draw for the whole step, so that shrinking can take it out as a whole.
    return _chosen_step(draw, books, scope) if draw(_GO_ON) else None


@st.composite
def children(draw: DrawFn, books: Books) -> Action:
    """A fork whose child does something to its copy of the selector; never anything to what is shared."""
    alone = replace(EVERYDAY, losing=True, closing=True, traffic=False)
    copied = copy.deepcopy(books)
    first = _chosen_step(draw, copied, alone)
    copied.follow(first)
    return ("fork", (first, *_walk(draw, copied, alone, 3)))


@st.composite
def walks(draw: DrawFn, scope: Scope = EVERYDAY, start: Program = (), most: int = _LONGEST) -> Program:
    """A program of up to that many steps after those of *start*."""
    return (*start, *_walk(draw, books_of(start), scope, most))


def _can_be_had(file: File) -> bool:
    return file.open or NUMBERS_CAN_BE_CHOSEN


@st.composite
def ends(draw: DrawFn, scope: Scope = EVERYDAY, start: Program = (), most: int = _LONGEST) -> Program:
    """A walk at the end of which a file is registered anew, hears from its peer, and is waited for.

    Whatever was before, this must be seen.
    """
    made = list(draw(walks(scope, start, most)))
    books = books_of(tuple(made))
    fresh = [number for number in range(_FILES) if number not in books.files]
    usable = fresh[:1] or [number for number in range(_FILES) if _can_be_had(books.file(number))]
    if not usable:
        return (*made, ("select", 0))
    number = draw(_any_of(tuple(usable)))
    if fresh:
        made.append(("open", number, draw(_any_of(scope.kinds))))
        books.follow(made[-1])
    elif books.file(number).events:
        made.append(("forget", number))
    if not books.file(number).open:
        made.append(("reuse", number, "socket"))
        books.follow(made[-1])
    made.append(("register", number, draw(ANY_LETTERS)))
    traffic = tuple(_traffic(number, books.file(number)))
    sends = [step for step in traffic if step[0] == "send"]
    made.append(draw(_any_of((*sends, *traffic) or (("select", 0),))))
    return (*made, ("select", 0), ("select", 0))
