"""Judges one rule on one subject: makes up programs, has them played, shrinks the one that breaks the rule.

Hypothesis writes and shrinks the programs here; each is played in a process apart (``playground.py``).
What a program showed is kept, so that Hypothesis never sees the same program pass once and fail once.
"""

from __future__ import annotations

import contextlib
import shlex
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from . import chronicle
from .database import FailedPrograms
from .history import History
from .onlooking import Onlookers, pare
from .playground import Playground
from .program import Program, as_json
from .rendering import as_python
from .rules import PLATFORM_FEATURES, Finding, Rule
from .verdict import Verdict, Witness
from .vocabulary.leaving import LEAVE

Excuse = Callable[[Program, str, Finding], bool]
"""Whether somebody else is to blame when a program breaks the rule, with that outcome and finding."""
EXCUSED = 3
"""So many programs may break the rule with an excuse; then no other bug is looked for beside that one."""
SHRUNK_HANGS = 2
"""How many further programs may hang while one that hangs is shrunk."""
HAMPERED_PROGRAMS = 15
"""After so many programs that met a NotImplementedError, and none that did not, more would be in vain."""
CONFIRMATIONS = 2
"""How often a finding is played again before it counts: a timed rule's must come each time, others once."""
_DECLARED_SHRINK_S = 1.0
"""How long a program is shrunk that shows what is declared already, at the most."""
_ENOUGH_EVENTS = 400


@dataclass(frozen=True)
class Profile:
    """How thoroughly rules are judged."""

    name: str
    examples: int
    """Programs per rule, of a rule of cost 1."""
    shrink_s: float = 8.0
    """How long a failing program is shrunk, at the most."""

    def examples_for(self, rule: Rule) -> int:
        return max(2, int(self.examples / rule.cost))


PROFILES = {
    profile.name: profile
    for profile in (Profile("quick", 20), Profile("default", 60), Profile("thorough", 500))
}

_SMALLEST_PROGRAM: Program = (("soon", "c0", ()), ("run",), ("close",))


class _BrokenRuleError(Exception):
    """Tells Hypothesis that this program breaks the rule."""


@dataclass(frozen=True)
class _Failure:
    program: Program
    history: History
    finding: Finding
    outcome: str

    @property
    def size(self) -> int:
        return len(as_json(self.program))


class _Search:
    """One rule on one subject, program by program."""

    def __init__(
        self,
        rule: Rule,
        playground: Playground,
        shrink_s: float = 0.0,
        onlookers: Onlookers | None = None,
        excuse: Excuse | None = None,
    ) -> None:
        self.rule = rule
        self.playground = playground
        self.shrink_s = shrink_s
        self.onlookers = onlookers
        self.played = 0
        self.smallest: _Failure | None = None
        self.lacking = ""  # the NotImplementedError that may be to blame for a finding
        self.hampered = ""  # the last one that any program met
        self.in_vain = 0  # programs that met one
        self.unhampered = 0  # programs that met none
        self._known: dict[Program, bool] = {}
        self._shrink_until = 0.0
        self._hangs_left = SHRUNK_HANGS
        self._excuse = excuse
        self._excuses_left = EXCUSED

    def breaks(self, program: Program) -> bool:
        """Whether the program breaks the rule; from memory when it was played before."""
        if program not in self._known:
            if not self.unhampered and self.in_vain >= HAMPERED_PROGRAMS:
                return False
            if self.smallest and (time.monotonic() > self._shrink_until or self._hangs_left < 0):
                return False
            if not self._excuses_left:
                return False
            self._known[program] = self._breaks(program)
        return self._known[program]

    def _breaks(self, program: Program) -> bool:
        failure = self.play(program)
        if failure is None or (self.smallest and failure.outcome != self.smallest.outcome):
            return False
        if self._is_excused(failure):
            return False
        if failure.outcome == "hung":
            self._hangs_left -= self.smallest is not None
        elif not self._comes_again(failure):
            return False
        if self.smallest is None:
            self._shrink_until = time.monotonic() + self.shrink_s
        if self.smallest is None or failure.size <= self.smallest.size:
            self.smallest = failure
        return True

    def _is_excused(self, failure: _Failure) -> bool:
        excuse = self._excuse
        if excuse is None or not excuse(failure.program, failure.outcome, failure.finding):
            return False
        self._excuses_left -= 1
        return True

    def _comes_again(self, failure: _Failure) -> bool:
        if self.smallest is None:
            return self.confirmed(failure)
        return not self.rule.timed or self.play(failure.program) is not None

    def play(self, program: Program) -> _Failure | None:
        """Play once; the failure, if the history shows one."""
        self.played += 1
        history = self.playground.play(program)
        if history.outcome != "completed":
            return _Failure(
                program, history, Finding("the program runs to its end", history.detail), history.outcome
            )
        lacking = _not_implemented(history)
        if lacking:
            self.hampered = lacking
            self.in_vain += 1
        else:
            self.unhampered += 1
        stopped = _player_stopped(history)
        if self.onlookers is not None and stopped is None:  # half a play leaves behind what is the player's
            self.onlookers.look(history, self.rule)
        finding = stopped or next(self.rule.check(history), None)
        if finding and lacking:
            self.lacking = lacking
            return None
        return _Failure(program, history, finding, "broken") if finding else None

    def confirmed(self, failure: _Failure) -> bool:
        """Whether a finding comes again, in a fresh process.

        What a busy machine or a polluted process did, does not.
        """
        if failure.outcome == "crashed":
            return True
        self.playground.stop()
        again = [self.play(failure.program) is not None for _ in range(CONFIRMATIONS)]
        return all(again) if self.rule.timed else any(again)


def _not_implemented(history: History) -> str:
    for event in history.events:
        error = str(event.get("error") or "")
        if error.startswith("NotImplementedError"):
            return error.removesuffix(": ")
    return ""


def _player_stopped(history: History) -> Finding | None:
    stopped = history.first("broken-player")
    return (
        Finding("every call of the program can be made", f"one raised {stopped['error']}")
        if stopped
        else None
    )


def judge_rule(
    rule: Rule,
    playground: Playground,
    profile: Profile,
    seed: int,
    capabilities: frozenset[str],
    *,
    known: Sequence[Program] | None = None,
    failed: FailedPrograms | None = None,
    onlookers: Onlookers | None = None,
    excuse: Excuse | None = None,
) -> Verdict:
    """Judge one rule on the playground's subject; programs that broke it before are played first.

    ``known`` is what shows a declared deviation, None where none is declared: nobody is blamed by what is
    declared, so it counts when it was seen once, and is shrunk but little. A program with an ``excuse`` does
    not count.
    """
    started = time.monotonic()
    unjudged = _unjudged(rule, capabilities)
    if unjudged:
        return Verdict(rule.id, rule.level, *unjudged)
    shrink_s = profile.shrink_s if known is None else min(profile.shrink_s, _DECLARED_SHRINK_S)
    search = _Search(rule, playground, shrink_s, onlookers, excuse)
    broke_it = failed.of(rule.id) if failed is not None else []
    if rule.in_fresh_process:
        playground.stop()
    if not any(_shows(search, program) for program in known or ()) and not any(
        _fails_again(search, program, failed) for program in broke_it
    ):
        _make_up_programs(search, profile, seed)
    if failed is not None and search.smallest is not None:
        failed.keep(rule.id, search.smallest.program)
    return _verdict(rule, search, playground.subject, time.monotonic() - started)


def _shows(search: _Search, program: Program) -> bool:
    """Whether a given program breaks the rule in one of a few plays; what it showed is kept."""
    for attempt in range(1 + CONFIRMATIONS):
        if attempt:
            search.playground.stop()  # what was played before may have left something that hides it
        search.smallest = search.play(program)
        if search.smallest:
            return True
    return False


def _fails_again(search: _Search, program: Program, failed: FailedPrograms | None) -> bool:
    """Whether a program that broke the rule before does it still; one that does not is forgotten."""
    # What broke the rule only now and then gets as many chances as a replay.
    for _ in range(1 + CONFIRMATIONS):
        search.smallest = search.play(program)
        if search.smallest and (search.smallest.outcome == "hung" or search.confirmed(search.smallest)):
            return True
    search.smallest = None
    if failed is not None:
        failed.forget(search.rule.id, program)
    return False


_unbroken: dict[tuple[Rule, int, int], list[Program]] = {}
"""What Hypothesis wrote last and no program broke, by rule, number and seed: other subjects get the same."""


def _make_up_programs(search: _Search, profile: Profile, seed: int) -> None:
    """Have Hypothesis write programs until one breaks the rule, and shrink that one.

    Writing a program costs as much as playing it, and is done once for all subjects that are judged by the
    same rule one after the other. Only where one breaks the rule Hypothesis comes back, to shrink it.
    """
    examples = profile.examples_for(search.rule)
    which = search.rule, examples, seed
    if which in _unbroken and not any(search.breaks(program) for program in _unbroken[which]):
        return
    written: list[Program] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if profile.shrink_s else [])],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    @hypothesis.given(search.rule.programs)
    def no_program_breaks_it(program: Program) -> None:
        written.append(program)
        if search.breaks(program):
            raise _BrokenRuleError

    with contextlib.suppress(_BrokenRuleError):
        no_program_breaks_it()
        _unbroken.clear()
        _unbroken[which] = written


def judge_suspects(
    onlookers: Onlookers,
    played_for: Rule,
    playground: Playground,
    profile: Profile,
    failed: FailedPrograms | None = None,
) -> Iterator[Verdict]:
    """The verdicts on rules that looked on while another was judged, and that its programs break."""
    for rule, suspects in onlookers.take_suspects():
        started = time.monotonic()
        search = next((s for s in (_tried(rule, each, playground, profile) for each in suspects) if s), None)
        if search is None or search.smallest is None:
            continue
        onlookers.knows_broken(rule)
        if failed is not None:
            failed.keep(rule.id, search.smallest.program)
        yield _verdict(rule, search, playground.subject, time.monotonic() - started, played_for)


def _tried(rule: Rule, suspect: Program, playground: Playground, profile: Profile) -> _Search | None:
    """The search that found the suspect to break the rule, pared down; None when it is innocent."""
    search = _Search(rule, playground, profile.shrink_s)

    def breaks(body: Program) -> bool:
        return search.breaks((*body, LEAVE))  # then a process that it changes is replaced

    playground.stop()  # the suspect may have changed this process for good
    # A hang or a crash is for the rule to tell whose program it is.
    if not breaks(suspect) or search.smallest is None or search.smallest.outcome != "broken":
        return None
    if profile.shrink_s:
        pare(suspect, breaks)
    return search


def replay(rule: Rule, playground: Playground, program: Program, capabilities: frozenset[str]) -> Verdict:
    """Judge a rule by one given program, played up to three times until it breaks the rule."""
    started = time.monotonic()
    unjudged = _unjudged(rule, capabilities)
    if unjudged:
        return Verdict(rule.id, rule.level, *unjudged)
    search = _Search(rule, playground)
    _shows(search, program)
    return _verdict(rule, search, playground.subject, time.monotonic() - started)


def preflight(rules: list[Rule], playground: Playground) -> list[Verdict]:
    """Verdicts for all rules when not even the smallest program can be played; empty when it can."""
    if not rules or rules[0].judges == "selector":
        history = playground.play(())
        program: Program = ()
    else:
        history, program = playground.play(_SMALLEST_PROGRAM), _SMALLEST_PROGRAM
    if history.outcome == "completed":
        return []
    failure = _Failure(
        program, history, Finding("the smallest program runs to its end", history.detail), history.outcome
    )
    message = f"not even the smallest program can be played: {history.detail}"
    return [
        Verdict(
            rule.id,
            rule.level,
            history.outcome,
            message,
            witness=_witness(rule, failure, playground.subject),
            reproduce=reproduce_command(playground.subject, rule.id, program),
            examples=1,
        )
        for rule in rules
    ]


def is_judged(rule: Rule, capabilities: frozenset[str]) -> bool:
    """Whether a subject of those capabilities is judged by the rule on this platform."""
    return _unjudged(rule, capabilities) is None


def _unjudged(rule: Rule, capabilities: frozenset[str]) -> tuple[str, str] | None:
    if rule.capability and rule.capability not in capabilities:
        return "not-offered", f"the subject does not claim {rule.capability}"
    if rule.needs and not PLATFORM_FEATURES[rule.needs][0]:
        return "skipped", PLATFORM_FEATURES[rule.needs][1]
    return None


def _verdict(
    rule: Rule, search: _Search, subject: str, duration_s: float, played_for: Rule | None = None
) -> Verdict:
    failure = search.smallest
    if failure is None:
        # Where no program could do what the rule is about, nothing was seen to hold.
        lacking = search.lacking or ("" if search.unhampered else search.hampered)
        outcome, message = ("not-offered", lacking) if lacking else ("held", "")
        return Verdict(rule.id, rule.level, outcome, message, duration_s=duration_s, examples=search.played)
    if played_for is not None:
        seen = f"{failure.finding.seen} (in a program of {played_for.id})"
        failure = replace(failure, finding=replace(failure.finding, seen=seen))
    witness = _witness(rule, failure, subject)
    return Verdict(
        rule.id,
        rule.level,
        failure.outcome,
        witness.in_short,
        witness=witness,
        reproduce=reproduce_command(subject, rule.id, failure.program),
        duration_s=duration_s,
        examples=search.played,
    )


def _witness(rule: Rule, failure: _Failure, subject: str) -> Witness:
    return Witness(
        program=_as_lists(failure.program),
        python=_headline(rule, failure.finding) + as_python(failure.program, subject, rule.judges, rule.id),
        expected=failure.finding.expected,
        seen=failure.finding.seen,
        history=[chronicle.row(event) for event in failure.history.events[:_ENOUGH_EVENTS]],
        stderr=failure.history.stderr,
    )


def _headline(rule: Rule, finding: Finding) -> str:
    """What the script is to show, as a comment: whoever gets it by itself knows what to look for."""
    text = f"{rule.id}: expected: {finding.expected}; seen: {finding.seen}"
    lines = textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def reproduce_command(subject: str, rule_id: str, program: Program) -> str:
    """The shell command that plays exactly this program on this subject."""
    return (
        f"muxloop conform {shlex.quote(subject)} --rules {rule_id} --program {shlex.quote(as_json(program))}"
    )


def _as_lists(program: Program) -> list[Any]:
    return [[_as_lists(part) if isinstance(part, tuple) else part for part in action] for action in program]
