"""Inside a suite's process: the pytest plug-in that puts the loop in and writes what became of each test.

Loaded by ``-p``, before any conftest: whatever the suite imports finds the loop in its place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import loops
import pytest
from outcomes import LOOP, OutcomeFile

loops.install(os.environ[LOOP])
_file = OutcomeFile()
_phases: dict[str, list[pytest.TestReport]] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test, with what is set up for it."""
    _file.began()
    done = yield
    reports = _phases.pop(item.nodeid, [])
    bad = [report for report in reports if report.failed]
    skipped = any(report.skipped for report in reports)
    outcome = "failed" if bad else "skipped" if skipped else "passed"
    _file.ended(item.nodeid, outcome, "\n".join(report.longreprtext for report in bad))
    return done


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A phase of a test: setting up, the call, tearing down; or a subtest."""
    _phases.setdefault(report.nodeid, []).append(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be imported is a failure of that name."""
    if report.failed:
        _file.ended(report.nodeid, "failed", report.longreprtext)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """The suite came to its end."""
    _file.close()
