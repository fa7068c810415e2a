"""Runs a suite, and reads what it wrote about its tests and its loops."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from declarations import ELSEWHERE, FAILED, PASSED, Judgement, judge
from environments import Environment
from services import running
from suites import Suite

INSIDE = Path(__file__).parent / "inside"
_LIMIT_S = 1800
"""Of a whole suite: none takes a third of it."""


class BrokenRunError(Exception):
    """The suite's process did not come to its end, or ran none of its tests on the loop asked for."""


@dataclass
class Record:
    """What a run wrote."""

    outcomes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """What the tests that failed said."""
    runs: dict[str, int] | None = None
    """How often a loop of each class ran; None: the run broke off."""


@dataclass
class Run:
    """Runs of one suite, the second only of what failed in the first."""

    suite: Suite
    environment: Environment
    folder: Path
    log: Path
    loop: str

    def judged(self) -> Judgement:
        """The judgement of the suite. BrokenRunError if there is nothing to judge."""
        with running(self.suite.services, self.log) as ports:
            record = self._recorded(ports, [])
            self._write_runs(record)
            self._check_loops(record)
            judgement = judge(record.outcomes, self.suite.misses, loop=self.loop)
            if judgement.undeclared and len(judgement.undeclared) <= _AGAIN_AT_MOST:
                # Other people's tests have time limits of their own, which a busy machine exceeds.
                again = self._recorded(ports, judgement.undeclared)
                for test in judgement.undeclared:
                    if again.outcomes.get(test) == PASSED:
                        record.outcomes[test] = PASSED
                judgement = judge(record.outcomes, self.suite.misses, loop=self.loop)
        self._write_down(record, judgement)
        return judgement

    def _recorded(self, ports: Mapping[str, int], only: list[str]) -> Record:
        path = self.folder / "outcomes.jsonl"
        path.unlink(missing_ok=True)
        settings = {
            "MUXLOOP_DOWNSTREAM_OUTCOMES": str(path),
            "MUXLOOP_DOWNSTREAM_LOOP": self.loop,
            "PYTHONPATH": str(INSIDE),
            **self.suite.environment,
        }
        command = self._command(ports, only)
        with self.log.open("a", encoding="utf-8") as log:
            told = shlex.join([*(f"{name}={value}" for name, value in settings.items()), *command])
            log.write(f"$ cd {self.environment.source} && {told}\n")
            log.flush()
            try:
                subprocess.run(
                    command,
                    cwd=self.environment.source,
                    env={**os.environ, **settings},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=_LIMIT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise BrokenRunError(f"took more than {_LIMIT_S} seconds") from None
        return read_record(path)

    def _command(self, ports: Mapping[str, int], only: list[str]) -> list[str]:
        suite = self.suite
        python = str(self.environment.python)
        left_out = [miss.test for miss in suite.misses if not miss.run]
        if suite.is_cpython:
            command = [python, str(INSIDE / "cpython_tests.py"), *suite.modules]
            command += [f"--without={test}" for test in left_out]
            return command + [f"--only={test}" for test in only]
        command = [python, "-m", "pytest", "-p", "outcome_plugin", "-p", "no:cacheprovider"]
        for plugin in suite.plugins:
            command += ["-p", plugin]
        arguments = [argument.format(**ports) for argument in suite.arguments]
        if only:
            # Options stay, the paths give way to the tests.
            arguments = [each for each in arguments if each.startswith("-")] + only
        return [*command, *arguments, *(f"--deselect={test}" for test in left_out)]

    def _check_loops(self, record: Record) -> None:
        if record.runs is None:
            last = next(reversed(record.outcomes), "none")
            raise BrokenRunError(f"broke off; the last test that ended is {last}")
        if not record.outcomes:
            raise BrokenRunError("ran no test")
        if self.loop == "asyncio":
            return
        ours = sum(count for name, count in record.runs.items() if name.startswith("muxloop: "))
        if not ours and FAILED not in record.outcomes.values():
            raise BrokenRunError("did not run on muxloop: none of its loops was one of ours")
        others = set(record.runs) - {name for name in record.runs if name.startswith("muxloop: ")}
        if others - set(self.suite.other_loops):
            raise BrokenRunError(
                f"ran other loops, too: {', '.join(sorted(others - set(self.suite.other_loops)))}"
            )

    def _write_runs(self, record: Record) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            for name, count in sorted((record.runs or {}).items()):
                log.write(f"downstream: {name} ran {count} times\n")
            for outcome, count in sorted(Counter(record.outcomes.values()).items()):
                log.write(f"downstream: {count} {outcome}\n")

    def _write_down(self, record: Record, judgement: Judgement) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            for test, text in record.texts.items():
                if record.outcomes[test] == PASSED:
                    log.write(f"downstream: {test} passed only the second time\n")
                last = text.strip().splitlines()[-1:] or [""]
                log.write(f"downstream: {test}: {last[0]}\n")
            for complaint in judgement.complaints:
                log.write(f"downstream: {complaint}\n")


_AGAIN_AT_MOST = 20
"""More failures than these are no accident."""


def read_record(path: Path) -> Record:
    """What ``inside/outcomes.py`` wrote; nothing if it came to write nothing."""
    record = Record()
    if not path.exists():
        return record
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if "test" not in told:
            record.runs = told["runs"]
        elif record.outcomes.get(told["test"]) != FAILED:  # the worst of several
            idle = told["outcome"] == PASSED and not told["runs"]
            record.outcomes[told["test"]] = ELSEWHERE if idle else told["outcome"]
            if told["outcome"] == FAILED:
                record.texts[told["test"]] = told["text"]
    return record
