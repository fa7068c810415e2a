"""A whole run spread over processes by pytest-xdist; the same verdicts as ``suite.run``."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ..errors import SuiteFailedError
from .pytest_plugin import INCIDENTAL_PROPERTY, VERDICT_PROPERTY
from .suite import OnFinish, OnStart, Plan, _ignore, finished_report
from .tolerance import calibrate
from .verdict import Report, SubjectReport, Verdict


class _Collector:
    """Takes the verdicts out of the test reports as they come in from the processes."""

    def __init__(self, on_start: OnStart, on_finish: OnFinish, on_found: OnFinish) -> None:
        self.verdicts: dict[tuple[str, str], Verdict] = {}
        self.incidental: dict[str, list[Verdict]] = {}
        self.problems: list[str] = []
        self._on_start, self._on_finish, self._on_found = on_start, on_finish, on_found

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        subject, _, rule = nodeid.rpartition("::")
        self._on_start(subject.removeprefix("::"), rule)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            if report.failed:
                self.problems.append(report.longreprtext)
            return
        subject, _, rule = report.nodeid.rpartition("::")
        text = dict(report.user_properties).get(VERDICT_PROPERTY)
        if text is None:
            self.problems.append(report.longreprtext)
            return
        spec, verdict = subject.removeprefix("::"), Verdict.from_json(json.loads(str(text)))
        self.verdicts[spec, rule] = verdict
        for name, told in report.user_properties:
            if name == INCIDENTAL_PROPERTY:
                found = Verdict.from_json(json.loads(str(told)))
                self.incidental.setdefault(spec, []).append(found)
                self._on_found(spec, found)
        self._on_finish(spec, verdict)


def run_in_processes(
    plan: Plan,
    jobs: str,
    on_start: OnStart = _ignore,
    on_finish: OnFinish = _ignore,
    on_found: OnFinish = _ignore,
) -> Report:
    """Judge in ``jobs`` processes: a number, or "auto". ``on_found`` may be told of one rule by several.

    Raises SuiteFailedError when a process of the suite itself fails.
    """
    started = time.monotonic()
    calibration = calibrate()
    benches = [plan.bench_for(subject, calibration.factor) for subject in plan.subjects]
    for bench in benches:
        with bench:
            bench.describe()
    collector = _Collector(on_start, on_finish, on_found)
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as nowhere, _own_pytest(), contextlib.redirect_stdout(output):
        code = pytest.main(_arguments(plan, jobs, nowhere), plugins=[collector])
    if code == pytest.ExitCode.INTERRUPTED and not collector.problems:
        raise KeyboardInterrupt
    if collector.problems or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise SuiteFailedError("\n".join(collector.problems) or output.getvalue())
    reports: list[SubjectReport] = []
    for bench in benches:
        judged = [collector.verdicts.get((bench.subject.spec, rule.id)) for rule in bench.rules]
        if None in judged:
            raise SuiteFailedError(
                f"{bench.subject.spec}: no verdict came back for some rules\n{output.getvalue()}"
            )
        incidental = collector.incidental.get(bench.subject.spec, [])
        reports.append(bench.report([*(verdict for verdict in judged if verdict), *incidental]))
    return finished_report(plan, reports, calibration, time.monotonic() - started)


@contextlib.contextmanager
def _own_pytest() -> Iterator[None]:
    """Hide what is meant for the user's own runs of pytest, or comes from one that this run is inside of."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _arguments(plan: Plan, jobs: str, nowhere: str) -> list[str]:
    subjects = [f"--muxloop-subject={subject.spec}" for subject in plan.subjects]
    options: list[Any] = [
        f"--muxloop-rules={','.join(rule.id for rule in plan.rules)}",
        f"--muxloop-profile={plan.profile.name}",
        f"--muxloop-seed={plan.seed}",
        *([f"--muxloop-shard={plan.shard}"] if plan.shard else []),
        *(f"--muxloop-database={place}" for place in plan.databases or ["none"]),
        "-n",
        jobs,
        "--dist=worksteal",
        "-q",
        "-c",
        os.devnull,
        f"--rootdir={nowhere}",
        "-p",
        "no:cacheprovider",
        nowhere,
    ]
    return [*subjects, *options]
