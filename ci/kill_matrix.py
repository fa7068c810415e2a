"""Which rules catch which planted faults: the worth of the suite, in one table.

A fault is judged in processes of its own; whoever survives the rule that it breaks, or is caught by luck
only, is named at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fault_hunts import FAULTS, SEEDS, hunt, verdicts_on  # noqa: E402 - found through the line above
from faulty_endings import ELSEWHERE  # noqa: E402
from kill_matrix import STEADY, Catch, catches_on, drawn, shapes_of  # noqa: E402
from muxloop.conformance.declarations import reason_for  # noqa: E402
from muxloop.conformance.rules import Rule, all_rules  # noqa: E402
from muxloop.conformance.subjects import parse  # noqa: E402
from muxloop.conformance.suite import Bench  # noqa: E402

PLANTED = (*FAULTS.values(), *ELSEWHERE.values())
"""Of those that another Python has, the page keeps what it says."""


def judged(subject: str, every: bool) -> tuple[Catch, float]:
    """Judge one fault; what caught it, and how many seconds that took."""
    started = time.monotonic()
    own, others = _rules_for(subject, every=every)
    found = _steadiness(subject, own)
    caught = set() if found.startswith("0") else {own.id}
    with Bench(parse(subject), others, hunt("quick"), SEEDS[0], 1.0) as bench:
        caught |= {rule.id for rule in others if bench.judge(rule).bad}
    in_order = tuple(rule.id for rule in all_rules() if rule.id in caught)
    return Catch(found, in_order, shapes_of(own)), time.monotonic() - started


def _rules_for(subject: str, *, every: bool) -> tuple[Rule, list[Rule]]:
    """The rule that the fault breaks, and the others that judge its kind: all, or those of its group.

    Without those that CPython's own loop breaks, which is what the faults are planted in.
    """
    rules = {rule.id: rule for rule in all_rules() if rule.judges == parse(subject).kind}
    own = rules.pop(FAULTS[subject].rule)
    others = [rule for rule in rules.values() if every or rule.group == own.group]
    return own, [rule for rule in others if reason_for("asyncio", rule.id) is None]


def _steadiness(subject: str, rule: Rule) -> str:
    """The first profile in which each seed catches the fault; else in how many runs of how many one did."""
    caught = {}
    for profile in STEADY:
        caught[profile] = sum(verdict.bad for verdict in verdicts_on(subject, rule, profile))
        if caught[profile] == len(SEEDS):
            return profile
    return f"{sum(caught.values())} of {len(SEEDS) * len(caught)} runs"


def main(arguments: Sequence[str]) -> int:
    """Judge, print what goes on, write the page; the exit code."""
    parser = argparse.ArgumentParser(prog="ci/kill_matrix.sh", description=__doc__)
    parser.add_argument("globs", nargs="*", metavar="GLOB")
    parser.add_argument("--all-rules", action="store_true")
    parser.add_argument("--markdown", metavar="FILE", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("-n", metavar="N", type=int, default=os.cpu_count() or 1, dest="jobs")
    options = parser.parse_args(arguments)
    if options.resume and options.markdown is None:
        parser.error("--resume: name the page to go on with by --markdown FILE")
    page: Path | None = options.markdown
    known = catches_on(page.read_text(encoding="utf-8")) if page and page.exists() else {}
    named = [
        subject
        for subject, fault in FAULTS.items()
        if not options.globs
        or any(fnmatchcase(fault.name, glob) or fnmatchcase(fault.rule, glob) for glob in options.globs)
    ]
    if not named:
        parser.error(f"no planted fault is called {' or '.join(options.globs)}, and none breaks such a rule")
    chosen = [subject for subject in named if not (options.resume and _is_caught(subject, known))]
    for subject, catch in _judged_all(chosen, options.all_rules, options.jobs):
        known[FAULTS[subject].name] = catch
        if page is not None:
            page.write_text(drawn(PLANTED, known), encoding="utf-8")
    if page is not None and not chosen:  # of faults that are gone the page shall not tell
        page.write_text(drawn(PLANTED, known), encoding="utf-8")
    return _sum_up(named, known)


def _is_caught(subject: str, known: dict[str, Catch]) -> bool:
    fault = FAULTS[subject]
    return fault.name in known and known[fault.name].by(fault.rule)


def _judged_all(subjects: Sequence[str], every: bool, jobs: int) -> Iterator[tuple[str, Catch]]:
    with ProcessPoolExecutor(jobs) as pool:
        underway = {pool.submit(judged, subject, every): subject for subject in subjects}
        for number, done in enumerate(as_completed(underway), 1):
            subject = underway[done]
            catch, took_s = done.result()
            rules = ", ".join(catch.caught_by) or "nothing"
            print(
                f"[{number}/{len(subjects)}] {FAULTS[subject].name}: {rules}; {catch.found}, {took_s:.0f} s",
                flush=True,
            )
            yield subject, catch


def _sum_up(named: Sequence[str], known: dict[str, Catch]) -> int:
    survivors = [subject for subject in named if not _is_caught(subject, known)]
    for subject in survivors:
        fault = FAULTS[subject]
        print(f"{fault.name} survives {fault.rule}, {known[fault.name].found}: {fault.symptom}")
    print(
        f"{len(named) - len(survivors)} of {len(named)} faults are caught by the rule that they break, "
        f"with each of {len(SEEDS)} seeds"
    )
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
