"""Inside a suite's process: writes what became of each test, a line of JSON each.

    {"test": ID, "outcome": "passed" | "failed" | "skipped", "runs": N, "text": WHY}
    {"runs": {CLASS: N, …}}                                     the last line: the suite came to its end

N is how often a loop ran, of a test only muxloop's (any, where asyncio's is tried).
An expected failure of the suite's own (xfail) is a skip, an unexpected success a failure.
"""

from __future__ import annotations

import json
import os

import loops

PATH = "MUXLOOP_DOWNSTREAM_OUTCOMES"
LOOP = "MUXLOOP_DOWNSTREAM_LOOP"


class OutcomeFile:
    """The file that the environment names."""

    def __init__(self) -> None:
        self._file = open(os.environ[PATH], "w", encoding="utf-8", buffering=1)  # noqa: SIM115 - for the process
        self._process = os.getpid()
        self._before = self._counted()

    def began(self) -> None:
        """A test begins: what ran until now was not its."""
        self._before = self._counted()

    def ended(self, test: str, outcome: str, text: str = "") -> None:
        """A test has ended so."""
        runs = self._counted() - self._before
        self._write({"test": test, "outcome": outcome, "runs": runs, "text": text})

    def _counted(self) -> int:
        return loops.runs.total() if os.environ[LOOP] == "asyncio" else loops.ours(loops.runs)

    def close(self) -> None:
        """The suite has come to its end."""
        self._write({"runs": loops.runs})
        if os.getpid() == self._process:
            self._file.close()

    def _write(self, line: dict[str, object]) -> None:
        # A child that a test forked, and that got as far as here by mistake, tells nothing.
        if os.getpid() == self._process:
            self._file.write(json.dumps(line) + "\n")
