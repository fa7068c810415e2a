"""``python ci/steadiness``: whether a rule gives the same verdict in each of many runs.

Half of the runs have the machine to themselves, as far as we can tell, and share it with -n; during the
other half as many processes as there are cores count for ever. All make up the same programs, so that nothing
but time can tell them apart, or other ones each with --seeds. Prints one line for each rule that ever
differed. Exit codes: 0 none did; 1 one did; 2 bad usage; 3 a run failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

_COUNTING = "while True: pass"
_JUDGED = (0, 1)
"""Exit codes of a run that came to its end."""


@dataclass
class Outcomes:
    """What became of one rule on one subject."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    """The first run that ended so, and its message."""

    def add(self, outcome: str, run: str, message: str) -> None:
        self.counts[outcome] += 1
        self.first.setdefault(outcome, f"{run}: {message}" if message else run)

    def __str__(self) -> str:
        told = [f"{count}x {outcome}" for outcome, count in self.counts.most_common()]
        rarest = self.counts.most_common()[-1][0]
        return f"{', '.join(told)}; the first {rarest} in {self.first[rarest]}"


@contextlib.contextmanager
def load(processes: int) -> Iterator[None]:
    """That many processes which take all the CPU time they get."""
    counting = [subprocess.Popen([sys.executable, "-c", _COUNTING]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in counting:
            each.kill()
            each.wait()


Verdict = tuple[str, str, str, str]
"""Subject, rule, outcome and message."""


def judged(options: argparse.Namespace, seed: int) -> list[Verdict]:
    """The verdicts of one run; SystemExit when it came to no end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        command = [sys.executable, "-P", "-m", "muxloop", "conform", *options.subjects, "--seed", str(seed)]
        command += ["--profile", options.profile, "--database", "none", "--json", str(path)]
        command += ["--rules", options.rules] if options.rules else []
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode not in _JUDGED:
            sys.stderr.write(run.stderr)
            raise SystemExit(2 if run.returncode == 2 else 3)
        report = json.loads(path.read_text(encoding="utf-8"))
    return [
        (subject["subject"], verdict["rule"], verdict["outcome"], verdict["message"])
        for subject in report["subjects"]
        for verdict in subject["results"]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ci/steadiness.sh", description=__doc__)
    parser.add_argument(
        "runs", type=int, metavar="RUNS", help="on the idle machine, and as many on the other"
    )
    parser.add_argument("subjects", nargs="+", metavar="SUBJECT", help="as `muxloop conform` takes them")
    parser.add_argument("--rules", metavar="GLOB,…", help="only these rules")
    parser.add_argument("--profile", default="quick", metavar="NAME")
    parser.add_argument("--seeds", action="store_true", help="other programs in each run")
    parser.add_argument("-n", type=int, default=1, metavar="N", dest="at_once", help="so many runs at a time")
    options = parser.parse_args(arguments)
    if options.at_once < 1:
        parser.error(f"-n {options.at_once}: no run would ever begin; give 1 or more")
    if options.runs < 1:
        parser.error(f"{options.runs} runs tell nothing; give 1 or more")
    outcomes: dict[tuple[str, str], Outcomes] = defaultdict(Outcomes)
    for state, processes in (("idle", 0), ("loaded", os.cpu_count() or 1)):
        seeds = [number if options.seeds else 1 for number in range(1, options.runs + 1)]
        with load(processes), ThreadPoolExecutor(options.at_once) as pool:
            for number, verdicts in enumerate(pool.map(lambda seed: judged(options, seed), seeds), 1):
                for subject, rule, outcome, message in verdicts:
                    outcomes[subject, rule].add(outcome, f"{state} run {number}", message)
                print(f"{state} run {number} of {options.runs} done", file=sys.stderr, flush=True)
    differing = {pair: seen for pair, seen in outcomes.items() if len(seen.counts) > 1}
    for (subject, rule), seen in differing.items():
        print(f"{subject} {rule}: {seen}")
    print(f"{len(outcomes)} verdicts, {2 * options.runs} runs: {len(differing)} differed")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
