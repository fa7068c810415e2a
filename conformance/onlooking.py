"""Rules that look on while others are judged: the programs of every rule are evidence for them, too.

A rule that ``looks_on`` is judged by programs of its own, as any other. Besides it sees every history that
another rule's programs made; one that breaks it makes a suspect, which is played again, pared down and told
under the id of the rule that looked on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from .history import History
from .program import Program
from .rules import Rule
from .vocabulary.leaving import LEAVE

SUSPECTS = 3
"""So many programs of one rule are suspected of breaking another: a first one may prove innocent."""


class Onlookers:
    """The rules that look on at one subject, and the programs that they suspect."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._suspects: dict[str, list[Program]] = {}
        self._broken: set[str] = set()

    def look(self, history: History, played_for: Rule) -> None:
        """Suspect the program of a history that breaks a rule which nothing was found to break so far."""
        for rule in self._rules:
            suspects = self._suspects.get(rule.id, [])
            if (
                rule.id not in (*self._broken, played_for.id)
                and len(suspects) < SUSPECTS
                and next(rule.check(history), None) is not None
            ):
                suspect = tuple(action for action in history.program if action != LEAVE)
                self._suspects[rule.id] = [*suspects, suspect]

    def take_suspects(self) -> Iterator[tuple[Rule, Sequence[Program]]]:
        """The suspects of each rule that they seem to break, told once, the first one first; without their
        ``leave``."""
        suspects, self._suspects = self._suspects, {}
        return ((rule, suspects[rule.id]) for rule in self._rules if rule.id in suspects)

    def knows_broken(self, rule: Rule) -> None:
        """The rule is broken for certain: nobody need look on for it any more."""
        self._broken.add(rule.id)


def pare(program: Program, breaks: Callable[[Program], bool]) -> Program:
    """The program without the actions that it needs not to break its rule, at whatever depth they stand."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _with_one_left_out(program):
            if breaks(candidate):
                program, smaller = candidate, True
                break
    return program


def _with_one_left_out(body: Program) -> Iterator[Program]:
    """The body without one of its actions, the last ones first: what comes later is needed by less."""
    for place in reversed(range(len(body))):
        before, action, after = body[:place], body[place], body[place + 1 :]
        yield before + after
        for field, argument in enumerate(action):
            if isinstance(argument, tuple) and argument:
                for pared in _with_one_left_out(argument):
                    yield (*before, (*action[:field], pared, *action[field + 1 :]), *after)
