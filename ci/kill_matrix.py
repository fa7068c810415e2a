"""Which rules catch which planted faults: the worth of the suite, in one table.

A fault is judged in processes of its own, two at a time on two processors; whoever survives the rule that it
breaks is named at the end.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faulty_base import Fault  # noqa: E402 - found through the line above
from faulty_loops import LOOP_FAULTS  # noqa: E402
from faulty_selectors import SELECTOR_FAULTS  # noqa: E402
from muxloop.conformance.judging import PROFILES  # noqa: E402
from muxloop.conformance.rules import RULES_VERSION, Rule, all_rules  # noqa: E402
from muxloop.conformance.subjects import parse  # noqa: E402
from muxloop.conformance.suite import Bench  # noqa: E402

SEEDS = (1, 2, 3)
"""Some faults need luck to show: the rule that names one gets so many runs, the others one."""
HEAD = """\
# The kill matrix

What a suite is worth shows in the faults that it finds. Each of these is planted: a loop or a selector with
one thing spoilt, most of them after a bug that a real one had. `ci/kill_matrix.sh` judges each of them by the
rules of its group; **bold** is the rule that the fault breaks, the others caught it too. That each is caught
by its rule, and that no sound loop or selector is blamed, is a test (`tests/test_conformance_catches.py`).
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One fault, and what caught it."""

    fault: str
    issue: str
    symptom: str
    rule: str
    caught_by: tuple[str, ...]

    @property
    def is_caught(self) -> bool:
        return self.rule in self.caught_by


def faults() -> dict[str, Fault[object]]:
    """Every planted fault, by the subject that has it."""
    return {f"faulty_loops:{name}": fault for name, fault in LOOP_FAULTS.items()} | {
        f"selector:faulty_selectors:{name}": fault for name, fault in SELECTOR_FAULTS.items()
    }


def rules_for(subject: str, fault_rule: str, *, every: bool) -> list[Rule]:
    """The rules that judge this kind of subject: all, or those of the group of the fault's rule."""
    kind = "selector" if subject.startswith("selector:") else "loop"
    group = fault_rule.partition("-")[0]
    return [rule for rule in all_rules() if rule.judges == kind and (every or rule.group == group)]


def judged(subject: str, profile: str, every: bool) -> Row:
    """Judge one fault."""
    fault = faults()[subject]
    hunt = dataclasses.replace(PROFILES[profile], shrink_s=0.0)
    caught = []
    for rule in rules_for(subject, fault.rule, every=every):
        for seed in SEEDS if rule.id == fault.rule else SEEDS[:1]:
            with Bench(parse(subject), [rule], hunt, seed, 1.0) as bench:
                if bench.judge(rule).bad:
                    caught.append(rule.id)
                    break
    return Row(fault.name, fault.issue, fault.symptom, fault.rule, tuple(caught))


def page(rows: Sequence[Row]) -> str:
    """The table as Markdown, group by group."""
    caught = sum(row.is_caught for row in rows)
    parts = [HEAD, f"Rules version {RULES_VERSION}: {caught} of {len(rows)} faults are caught.\n"]
    sentences = {rule.id: rule.sentence for rule in all_rules()}
    for rule_id in sentences:
        chosen = [row for row in rows if row.rule == rule_id]
        if chosen:
            parts.append(f"## {rule_id}: {sentences[rule_id]}\n")
            parts.append("| fault | after | what is wrong | caught by |\n|---|---|---|---|")
            parts += [_line(row) for row in chosen]
            parts.append("")
    return "\n".join(parts)


def _line(row: Row) -> str:
    rules = [f"**{rule}**" if rule == row.rule else rule for rule in row.caught_by]
    symptom = row.symptom.replace("|", "\\|")
    return f"| `{row.fault}` | {row.issue} | {symptom} | {', '.join(rules) or 'nothing'} |"


def main(arguments: Sequence[str]) -> int:
    """Judge, print what goes on, write the page; the exit code."""
    parser = argparse.ArgumentParser(prog="ci/kill_matrix.sh", description=__doc__)
    parser.add_argument("globs", nargs="*", metavar="GLOB")
    parser.add_argument("--all-rules", action="store_true")
    parser.add_argument("--profile", choices=("quick", "default"), default="default")
    parser.add_argument("--markdown", metavar="FILE", type=Path)
    options = parser.parse_args(arguments)
    chosen = [
        subject
        for subject, fault in faults().items()
        if not options.globs or any(fnmatchcase(fault.name, glob) for glob in options.globs)
    ]
    if not chosen:
        parser.error(f"no planted fault is called {' or '.join(options.globs)}")
    rows = list(_judged_all(chosen, options.profile, options.all_rules))
    if options.markdown:
        options.markdown.write_text(page(rows))
    survivors = [row for row in rows if not row.is_caught]
    for row in survivors:
        print(f"{row.fault} survives {row.rule}: {row.symptom}")
    print(f"{len(rows) - len(survivors)} of {len(rows)} faults are caught by the rule that they break")
    return 1 if survivors else 0


def _judged_all(subjects: Sequence[str], profile: str, every: bool) -> Iterable[Row]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(judged, subjects, [profile] * len(subjects), [every] * len(subjects))
        for number, row in enumerate(rows, 1):
            print(f"[{number}/{len(subjects)}] {row.fault}: {', '.join(row.caught_by) or 'nothing'}")
            yield row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
