"""Inside the process of one of gevent's test modules: runs it, and writes what became of each test.

python inside.py MODULE FILE

A line of JSON for each test, ``[ID, OUTCOME, TEXT]``, and at the end ``["loop", MODULE, ""]``. A script
without unittest writes the last line alone.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import unittest


class Result(unittest.TextTestResult):
    """Writes each test's outcome as it ends; a failure of a class's or module's fixture is one, too."""

    module = ""
    file = -1

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's names
        super().addSuccess(test)
        self._write(test, "passed", "")

    def addError(self, test, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addError(test, error)
        self._write(test, "failed", repr(error[1]))

    def addFailure(self, test, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addFailure(test, error)
        self._write(test, "failed", repr(error[1]))

    def addSubTest(self, test, subtest, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._write(test, "failed", f"{subtest}: {error[1]!r}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._write(test, "skipped", reason)

    def addExpectedFailure(self, test, error) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        super().addExpectedFailure(test, error)
        self._write(test, "skipped", "expected failure")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._write(test, "failed", "unexpected success")

    def _write(self, test: unittest.TestCase, outcome: str, text: str) -> None:
        name = test.id().replace("__main__", self.module, 1)
        write(self.file, [name, outcome, text])


def write(file: int, line: list[str]) -> None:
    """One system call for each line, which gevent's patches leave alone; nothing from a forked child."""
    if os.getpid() == _process:
        os.write(file, json.dumps(line).encode() + b"\n")


_process = os.getpid()


def main(module: str, path: str) -> None:
    Result.module = module
    Result.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    unittest.TextTestRunner.resultclass = Result
    sys.argv = [module]
    sys.path[0] = os.getcwd()
    try:
        runpy.run_module(f"gevent.tests.{module}", run_name="__main__", alter_sys=True)
    finally:
        from gevent import config

        write(Result.file, ["loop", config.loop.__module__, ""])


if __name__ == "__main__":
    main(*sys.argv[1:])
