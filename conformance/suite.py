"""A whole run: every chosen rule on every subject, and the report that comes of it. Needs no pytest."""

from __future__ import annotations

import platform
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from importlib import metadata
from typing import Any

from ..errors import UsageError
from .database import FailedPrograms, shown
from .declarations import about, declared, gone_away, reason_for, reasons_for
from .heritage import Heritage
from .history import History
from .judging import PROFILES, Profile, is_judged, judge_rule, judge_suspects, preflight, replay
from .onlooking import Onlookers
from .playground import Playground
from .program import parse
from .rules import RULES_VERSION, Rule, all_rules, chosen_rules
from .sharding import Shard, fingerprint
from .subjects import Subject
from .subjects import parse as parse_subject
from .tolerance import Calibration, calibrate
from .verdict import Report, SubjectReport, Verdict, one_each
from .vocabulary import LOOP_ACTIONS, SELECTOR_ACTIONS

HIGHEST_SEED = 2**64 - 1


@dataclass(frozen=True)
class Plan:
    """What shall be judged, and how."""

    subjects: tuple[Subject, ...]
    rules: tuple[Rule, ...]
    profile: Profile
    seed: int
    shard: Shard | None = None
    """The part of the run that this machine takes; None for all of it."""
    databases: tuple[str, ...] = ()
    """Where programs that failed are kept, see ``database.py``."""

    @classmethod
    def of(
        cls,
        specs: Sequence[str],
        globs: Sequence[str] = (),
        profile: str = "default",
        seed: int | None = None,
        *,
        shard: Shard | None = None,
        databases: tuple[str, ...] = (),
    ) -> Plan:
        """Read what the user said; UsageError or SubjectError for what cannot be meant."""
        if profile not in PROFILES:
            raise UsageError(f"--profile {profile}: there are {', '.join(PROFILES)}")
        if seed is not None and not 0 <= seed <= HIGHEST_SEED:
            raise _bad_seed("--seed", seed)
        subjects = tuple(parse_subject(spec) for spec in dict.fromkeys(specs))
        declared()  # a file of declarations that cannot be read ends the run before it begins
        rules = tuple(chosen_rules(globs))
        kinds = {rule.judges for rule in rules}
        if not any(subject.kind in kinds for subject in subjects):
            only = " and ".join(f"{kind}s" for kind in sorted(kinds))
            raise UsageError(f"--rules {','.join(globs)}: these rules judge {only}, of which none is named")
        if seed is None and shard is not None:
            raise UsageError(f"--shard {shard}: give --seed N too, the same one to each shard of the run")
        chosen = seed if seed is not None else random.SystemRandom().randrange(2**32)
        return cls(subjects, rules, PROFILES[profile], chosen, shard, databases)

    def rules_for(self, subject: Subject) -> list[Rule]:
        """The rules by which this machine judges the subject."""
        return [
            rule
            for position, (judged, rule) in enumerate(self._whole)
            if judged == subject and (self.shard is None or self.shard.takes(position))
        ]

    @property
    def _whole(self) -> list[tuple[Subject, Rule]]:
        """Every pair of the run, whichever machine takes it."""
        return [
            (subject, rule) for subject in self.subjects for rule in self.rules if rule.judges == subject.kind
        ]

    @property
    def fingerprint(self) -> str:
        """The same for each shard of one run."""
        return fingerprint((subject.spec, rule.id) for subject, rule in self._whole)

    def bench_for(self, subject: Subject, widened: float) -> Bench:
        """The subject on a playground of its own, with the rules that judge it."""
        return Bench(
            *(subject, self.rules_for(subject), self.profile, self.seed, widened),
            databases=self.databases,
            # Those of the whole run: what this machine sees is its own to tell.
            onlookers=[rule for rule in self.rules if rule.judges == subject.kind and rule.looks_on],
        )

    @property
    def pairs(self) -> dict[str, int]:
        """How many rules each subject is judged by on this machine."""
        return {subject.spec: len(self.rules_for(subject)) for subject in self.subjects}


def seed_in(text: str | None, option: str) -> int | None:
    """The seed that the user typed, None when none was; UsageError when it is no seed."""
    if text is None:
        return None
    if not re.fullmatch("[0-9]+", text) or len(text) > len(str(HIGHEST_SEED)):
        raise _bad_seed(option, text)
    return int(text)


def _bad_seed(option: str, seed: object) -> UsageError:
    return UsageError(f"{option} {seed!s:.40}: a seed is a whole number from 0 to {HIGHEST_SEED}")


def globs_in(text: str | None, option: str) -> list[str]:
    """The globs of a comma list, none when there is no list; UsageError when the list is empty."""
    globs = [glob.strip() for glob in (text or "").split(",") if glob.strip()]
    if text is not None and not globs:
        raise UsageError(f"{option} {text!r}: names no rule; give ids or globs such as ORD-01,TMR-*,!TMR-09")
    return globs


class Bench:
    """One subject on its playground, ready to be judged rule by rule; a context manager."""

    def __init__(
        self,
        subject: Subject,
        rules: Sequence[Rule],
        profile: Profile,
        seed: int,
        widened: float,
        *,
        databases: Sequence[str] = (),
        onlookers: Sequence[Rule] = (),
    ) -> None:
        self.subject = subject
        self._vocabulary = SELECTOR_ACTIONS if subject.kind == "selector" else LOOP_ACTIONS
        self._failed = FailedPrograms(subject.spec, self._vocabulary, databases)
        self.rules = list(rules)
        self._profile, self._seed = profile, seed
        self.playground = Playground(subject.spec, widened)
        self._stillborn: dict[str, Verdict] | None = None
        self._described: dict[str, Any] | None = None
        self._heritage: Heritage | None = None
        self._wanted_onlookers = onlookers
        self._onlookers: Onlookers | None = None
        self._incidental: list[Verdict] = []

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the playing process; the next play starts a new one."""
        self.playground.stop()
        if self._heritage is not None:
            self._heritage.close()

    def describe(self) -> dict[str, Any]:
        """Type, version and backend of the subject; SubjectError when it cannot be built."""
        if self._described is None:
            answer = self.playground.describe()
            if isinstance(answer, History):
                answer = {"version": self.subject.version, "backend": self.subject.backend}
            self._described = answer
        return self._described

    def judge(self, rule: Rule) -> Verdict:
        """The verdict of one rule, with the declaration that covers it."""
        if self._stillborn is None:
            self._stillborn = {verdict.rule: verdict for verdict in preflight(self.rules, self.playground)}
        if rule.id in self._stillborn:
            return with_declaration(self.subject.spec, self._stillborn[rule.id])
        unjudged = self._not_offered(rule)
        if unjudged is not None:
            return unjudged
        onlookers = self._those_who_look_on()
        verdict = self._judged(rule, onlookers)
        if verdict.bad:
            onlookers.knows_broken(rule)
        by_the_way = judge_suspects(onlookers, rule, self.playground, self._profile, self._failed)
        rules = {each.id: each for each in self._wanted_onlookers}
        self._incidental += [self._explained(rules[each.rule], each) for each in by_the_way]
        return verdict

    def _judged(self, rule: Rule, onlookers: Onlookers) -> Verdict:
        how = (self.playground, self._profile, self._seed, self._capabilities)
        known = list(about(self.subject.spec, rule.id))
        verdict = judge_rule(
            *(rule, *how),
            known=[d.program for d in known if d.program] if known else None,
            failed=self._failed,
            onlookers=onlookers,
        )
        explained = self._explained(rule, verdict)
        if self._heritage is None or explained.declared is None or known:
            return explained
        # What is inherited may hide a fault of its own, which is looked for by other programs.
        own = judge_rule(*(rule, *how), onlookers=onlookers, excuse=partial(self._heritage.explains, rule))
        found = own if own.bad else explained
        return replace(found, examples=verdict.examples + own.examples)

    def _explained(self, rule: Rule, verdict: Verdict) -> Verdict:
        """The verdict with what is declared of the subject, or of the loop that it is built on."""
        verdict = with_declaration(self.subject.spec, verdict)
        if not verdict.bad or verdict.declared is not None:
            return verdict
        verdict = replace(verdict, asyncio_too=reasons_for("asyncio", rule.id) or "")
        if not self.describe().get("built_on_asyncio"):
            return verdict
        if self._heritage is None:
            self._heritage = Heritage(self.subject, self.playground.tolerance)
        reason = self._heritage.reason(rule)
        inherited = reason is not None and self._heritage.left_by(rule, verdict)
        return replace(verdict, declared=reason, asyncio_too="") if inherited else verdict

    def take_incidental(self) -> list[Verdict]:
        """Bad verdicts on rules that looked on while ``judge`` judged others, each told once."""
        taken, self._incidental = self._incidental, []
        return taken

    def _those_who_look_on(self) -> Onlookers:
        if self._onlookers is None:
            spec, capabilities = self.subject.spec, self._capabilities
            self._onlookers = Onlookers(
                rule
                for rule in self._wanted_onlookers
                if self._not_offered(rule) is None
                and is_judged(rule, capabilities)
                # A deviation that is declared with its program needs no other.
                and not any(deviation.program for deviation in about(spec, rule.id))
            )
        return self._onlookers

    def replay(self, rule: Rule, program_text: str) -> Verdict:
        """The verdict of one rule by one given program."""
        program = parse(program_text, self._vocabulary)
        verdict = self._not_offered(rule) or replay(rule, self.playground, program, self._capabilities)
        return self._explained(rule, verdict)

    @property
    def _capabilities(self) -> frozenset[str]:
        """What the subject claims beyond the common rules: by its name, or by its attribute ``claims``."""
        return self.subject.capabilities.union(self.describe().get("claims", ()))

    def _not_offered(self, rule: Rule) -> Verdict | None:
        """The verdict on a rule that asks for what the subject says it never promised; drivers say so."""
        for glob, reason in self.describe().get("not_offered", {}).items():
            if fnmatchcase(rule.id, glob):
                return Verdict(rule.id, rule.level, "not-offered", reason)
        return None

    def report(self, verdicts: Sequence[Verdict]) -> SubjectReport:
        """Its report: one verdict on each rule, whether it was judged or looked on."""
        described = self.describe()
        return SubjectReport(
            self.subject.spec,
            described["version"],
            described["backend"] or self.subject.backend,
            in_order(verdicts),
        )


def in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict on each rule, in the order of the catalogue."""
    places = {rule.id: place for place, rule in enumerate(all_rules())}
    return sorted(one_each(verdicts), key=lambda verdict: places.get(verdict.rule, len(places)))


def with_declaration(subject: str, verdict: Verdict) -> Verdict:
    """The verdict with the reason that is declared for it, unless it has one already."""
    if not verdict.bad or verdict.declared is not None:
        return verdict
    return replace(verdict, declared=reason_for(subject, verdict.rule))


OnStart = Callable[[str, str], None]
OnFinish = Callable[[str, Verdict], None]


def _ignore(*_: object) -> None:
    """Nobody wants to know."""


def run(
    plan: Plan,
    on_start: OnStart = _ignore,
    on_finish: OnFinish = _ignore,
    on_found: OnFinish = _ignore,
) -> Report:
    """Judge in this process, one rule after the other.

    ``on_found`` is told of each verdict on a rule that looked on, before ``on_finish`` of the rule judged.
    Subjects are described first: one that cannot be built ends the run before it begins.
    """
    started = time.monotonic()
    calibration = calibrate()
    reports = []
    benches = [plan.bench_for(subject, calibration.factor) for subject in plan.subjects]
    for bench in benches:
        with bench:
            bench.describe()
    for bench in benches:
        with bench:
            reports.append(bench.report(list(_judge_all(bench, on_start, on_finish, on_found))))
    return finished_report(plan, reports, calibration, time.monotonic() - started)


def _judge_all(bench: Bench, on_start: OnStart, on_finish: OnFinish, on_found: OnFinish) -> Iterator[Verdict]:
    for rule in bench.rules:
        on_start(bench.subject.spec, rule.id)
        verdict, found = bench.judge(rule), bench.take_incidental()
        for each in found:
            on_found(bench.subject.spec, each)
        on_finish(bench.subject.spec, verdict)
        yield from (verdict, *found)


def run_program(plan: Plan, program: str) -> Report:
    """Play one given program, and judge it by each rule of the plan."""
    started = time.monotonic()
    calibration = calibrate()
    reports = []
    for subject in plan.subjects:
        with plan.bench_for(subject, calibration.factor) as bench:
            bench.describe()
            reports.append(bench.report([bench.replay(rule, program) for rule in bench.rules]))
    return finished_report(plan, reports, calibration, time.monotonic() - started, check_declarations=False)


def finished_report(
    plan: Plan,
    reports: list[SubjectReport],
    calibration: Calibration,
    duration_s: float,
    *,
    check_declarations: bool = True,
) -> Report:
    return Report(
        rules_version=RULES_VERSION,
        seed=plan.seed,
        profile=plan.profile.name,
        environment=environment(calibration) | {"database": shown(plan.databases)},
        subjects=reports,
        stale_declarations=gone_away(reports) if check_declarations else [],
        duration_s=duration_s,
        shard=str(plan.shard) if plan.shard else None,
        plan=plan.fingerprint,
        rule_versions={rule.id: rule.version for rule in plan.rules},
    )


def environment(calibration: Calibration) -> dict[str, str]:
    """Where the run took place."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": sys.platform,
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "muxloop": metadata.version("muxloop"),
        "hypothesis": metadata.version("hypothesis"),
        "tolerance": f"{calibration.factor:.2f}",
        "calibration": str(calibration),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def succeeded(report: Report, *, strict: bool = False) -> bool:
    """Whether no R rule is broken undeclared (strict: no rule at all) and no declaration has gone away."""
    from .report.standing import Standing, standing_of

    verdicts = [verdict for subject in report.subjects for verdict in subject.results]
    fails = any(standing_of(verdict, strict=strict) is Standing.FAILS for verdict in verdicts)
    return not fails and not report.stale_declarations
