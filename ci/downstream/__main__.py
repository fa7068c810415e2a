"""``ci/downstream.sh``: other people's test suites, run on muxloop's loop.

    ci/downstream.sh aiohttp anyio             these; ``all`` for every one, ``--list`` for their names
    ci/downstream.sh --loop asyncio aiohttp    the same on CPython's loop: which failures are none of ours?

Prints a line for each suite: its name, its version, how many tests passed, how many misses are declared in
``ci/downstream/suites/NAME.toml``. A suite fails when a failure is not declared, a declared one passes, no
test ran, or a loop was not ours; a line on standard error then says so and names the log. A test in which our
loop did not run is not counted. MUXLOOP_BACKEND chooses the backend. Exit codes: 0 none failed; 1 one did;
2 bad usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from environments import ROOT, SetUpError, environment_of
from running import BrokenRunError, Run
from suites import FOLDER, Suite, SuiteError, load, names


@dataclass
class Row:
    """What is printed of a suite."""

    name: str
    version: str
    passed: int = 0
    declared: int = 0
    failure: str = ""
    """Why it failed, in one line; empty if it did not."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}: {self.passed} passed, {self.declared} declared"


def log_of(name: str, folder: Path) -> Path:
    """What all steps of a suite printed, and what it came to."""
    return folder / f"{name}.log"


def row_of(suite: Suite, folder: Path, loop: str) -> Row:
    """Set the suite up in a folder of its own, run and judge it."""
    row = Row(suite.name, suite.version or f"of {suite.python}")
    own, log = folder / suite.name, log_of(suite.name, folder)
    folder.mkdir(exist_ok=True)
    log.write_text("", encoding="utf-8")
    try:
        environment = environment_of(suite, own, log)
        row.version = environment.version
        judgement = Run(suite, environment, own, log, loop).judged()
    except (SetUpError, BrokenRunError) as error:
        row.failure = str(error)
        return row
    row.passed, row.declared = judgement.passed, judgement.declared
    if judgement.complaints:
        more = len(judgement.complaints) - 1
        row.failure = judgement.complaints[0] + (f", and {more} more" if more else "")
    return row


def written_as_table(rows: Sequence[Row]) -> str:
    """The rows as a table for a page."""
    lines = ["| suite | version | passed | declared |", "|---|---|---:|---:|"]
    lines += [
        f"| {row.name} | {row.version} | {row.passed:,} | {row.failure or row.declared} |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="ci/downstream.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="NAME", help="of a suite; all: every one")
    parser.add_argument("--list", action="store_true", help="print the names of the suites")
    parser.add_argument("--loop", choices=("muxloop", "asyncio"), default="muxloop", help="what they run on")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the lines as a table")
    parser.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="suites at the same time"
    )
    parser.add_argument("--suites", type=Path, default=FOLDER, metavar="DIR", dest="folder")
    parser.add_argument(
        "--keep", type=Path, default=ROOT / ".downstream", metavar="DIR", help="where suites are set up"
    )
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(names(options.folder)))
        return 0
    wanted = names(options.folder) if options.suites == ["all"] else options.suites
    if not wanted:
        parser.error("name a suite, or all; --list tells their names")
    try:
        suites = [load(name, options.folder) for name in dict.fromkeys(wanted)]
    except SuiteError as error:
        print(f"ci/downstream.sh: {error}", file=sys.stderr)
        return 2
    rows = []
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for row in pool.map(partial(row_of, folder=options.keep.resolve(), loop=options.loop), suites):
            rows.append(row)
            if row.failure:
                told = f"{row.name} {row.version}: {row.failure}; read {log_of(row.name, options.keep)}"
                print(f"ci/downstream.sh: {told}", file=sys.stderr)
            else:
                print(row, flush=True)
    if options.markdown:
        options.markdown.write_text(written_as_table(rows), encoding="utf-8")
    return 1 if any(row.failure for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
