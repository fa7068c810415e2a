"""Inside a suite's process: runs modules of CPython's own tests on the loop that was put in.

python cpython_tests.py TEST-MODULE[:CLASS,CLASS…]… [--only=TEST-ID]… [--without=TEST-ID]…
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import os
import sys
import unittest

import loops
import muxloop
from outcomes import LOOP, OutcomeFile
from test.test_asyncio import utils

_LIMIT_S = 120
"""A test that takes longer hangs; the process ends, telling where."""


class Result(unittest.TextTestResult):
    """Writes each test's outcome; the worst of a test's several ones counts."""

    outcomes: OutcomeFile

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        super().startTest(test)
        self._bad: list[str] = []
        self._skipped = ""
        faulthandler.dump_traceback_later(_LIMIT_S, exit=True)
        self.outcomes.began()

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        faulthandler.cancel_dump_traceback_later()
        outcome = "failed" if self._bad else "skipped" if self._skipped else "passed"
        self.outcomes.ended(identified(test), outcome, "\n".join(self._bad) or self._skipped)
        super().stopTest(test)

    def addError(self, test, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addError(test, error)
        self._add_bad(test, self.errors[-1][1])

    def addFailure(self, test, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addFailure(test, error)
        self._add_bad(test, self.failures[-1][1])

    def addSubTest(self, test, subtest, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._bad.append(f"{subtest}: {error[1]!r}")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._bad.append("unexpected success")

    def addExpectedFailure(self, test, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addExpectedFailure(test, error)
        self._skipped = "expected failure"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._skipped = reason
        if not isinstance(test, unittest.TestCase):
            return
        if not hasattr(self, "_bad"):
            self._bad = []

    def _add_bad(self, test: object, text: str) -> None:
        if isinstance(test, unittest.TestCase):
            self._bad.append(text)
        else:  # a fixture of a class or module
            self.outcomes.ended(str(test), "failed", text)


def identified(test: unittest.TestCase) -> str:
    """The test's name without the folder that all share."""
    return test.id().removeprefix("test.test_asyncio.")


def tests_of(name: str) -> unittest.TestSuite:
    """The tests of a module, or of the classes named behind a colon."""
    path, _, classes = name.partition(":")
    module = importlib.import_module(path)
    loader = unittest.defaultTestLoader
    if not classes:
        return loader.loadTestsFromModule(module)
    suite = unittest.TestSuite()
    for each in classes.split(","):
        suite.addTests(loader.loadTestsFromTestCase(getattr(module, each)))
    return suite


def close_loop(loop: asyncio.AbstractEventLoop) -> None:
    """What the tests' own does by private attributes, by public ones: it would fail every test."""
    if not isinstance(loop, muxloop.EventLoop):
        _close_loop(loop)
        return
    if not loop.is_closed():
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


_close_loop = utils.TestCase.close_loop


def flattened(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    return [
        test
        for each in suite
        for test in (flattened(each) if isinstance(each, unittest.TestSuite) else [each])
    ]


def main(arguments: list[str]) -> int:
    loops.install(os.environ[LOOP])
    asyncio.set_event_loop_policy(None)  # asyncio's own with our loops: child watchers are asked of it
    only = {each.removeprefix("--only=") for each in arguments if each.startswith("--only=")}
    without = {each.removeprefix("--without=") for each in arguments if each.startswith("--without=")}
    utils.TestCase.close_loop = staticmethod(close_loop)
    suite = unittest.TestSuite()
    for name in arguments:
        if not name.startswith("--"):
            tests = {identified(test): test for test in flattened(tests_of(name))}
            suite.addTests(tests[each] for each in tests if each in (only or tests) and each not in without)
    Result.outcomes = OutcomeFile()
    unittest.TextTestRunner(resultclass=Result, verbosity=2).run(suite)
    Result.outcomes.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
