"""``ci/gevent_tests.sh``: gevent's own tests, run on muxloop's loop for gevent.

    ci/gevent_tests.sh                          on every backend that is available here
    ci/gevent_tests.sh poll --only test__pool   one module on one backend
    ci/gevent_tests.sh --loop libev-cext        on a loop of gevent's: which failures are none of ours?

Prints a line for each backend: how many tests passed, and how many misses ``declared.toml`` declares. The
run fails when a failure is not declared, a declared one passes, or a module did not run on the loop
that was asked for; a line on standard error then says so. Network is not asked for. Exit codes: 0 no
backend failed; 1 one did; 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata, util
from pathlib import Path

import muxloop

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "downstream"))

from declarations import FAILED, PASSED, Miss, judge, misses_in  # noqa: E402

OURS = "muxloop.integrations.gevent.Loop"
_LIMIT_S = 180
_AGAIN_AT_MOST = 10
"""More modules that fail than these are no accident of a busy machine."""


@dataclass
class Record:
    """What became of tests."""

    outcomes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    """Where each test is."""

    def update(self, other: Record) -> None:
        """Put in what became of other modules, or of the same when they ran again."""
        again = set(other.modules.values())
        for test in [test for test, module in self.modules.items() if module in again]:
            for table in (self.outcomes, self.texts, self.modules):
                table.pop(test, None)
        self.outcomes |= other.outcomes
        self.texts |= other.texts
        self.modules |= other.modules


@dataclass(frozen=True)
class Place:
    """Where the tests run: a loop, and its backend if it is one of ours."""

    loop: str
    backend: str

    def __str__(self) -> str:
        return f"gevent {metadata.version('gevent')} on {self.backend or self.loop}"

    @property
    def environment(self) -> dict[str, str]:
        ours = {"GEVENT_LOOP": self.loop, "MUXLOOP_BACKEND": self.backend}
        # gevent's tests have time limits of milliseconds; on a CI server what exceeds them counts as skipped.
        busy = {"GITHUB_ACTIONS": "1"}
        settings = {**ours, **busy, "GEVENTTEST_USE_RESOURCES": "-network", "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **{name: value for name, value in settings.items() if value}}


def tests_folder() -> Path:
    """Where gevent's tests are installed."""
    spec = util.find_spec("gevent.tests")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def run_module(module: str, place: Place, logs: Path) -> Record:
    """Run one module in a process of its own."""
    record = Record()
    log = logs / f"{module}.log"
    with tempfile.TemporaryDirectory() as folder, log.open("w", encoding="utf-8") as output:
        outcomes = Path(folder) / "outcomes"
        process = subprocess.Popen(
            [sys.executable, str(HERE / "inside.py"), module, str(outcomes)],
            cwd=tests_folder(),
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            ending = f"exit code {process.wait(_LIMIT_S)}"
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            ending = f"no end after {_LIMIT_S} s"
        lines = outcomes.read_text(encoding="utf-8").splitlines() if outcomes.exists() else []
    loop = ""
    for name, outcome, text in map(json.loads, lines):
        if name == "loop":
            loop = outcome
        elif record.outcomes.get(name) != FAILED:  # the worst of several
            record.outcomes[name], record.texts[name] = outcome, text
    if place.loop == OURS and loop and loop != "muxloop.integrations.gevent.loop":
        ending = f"ran on {loop}"
    well = ending == "exit code 0"
    if not well and FAILED not in record.outcomes.values():
        record.outcomes[module], record.texts[module] = FAILED, ending
    elif not record.outcomes:
        record.outcomes[module] = PASSED  # a script
    record.modules = dict.fromkeys(record.outcomes, module)
    return record


def run_modules(modules: Iterable[str], place: Place, logs: Path, jobs: int) -> Record:
    """Run modules, some at the same time."""
    whole = Record()
    with ThreadPoolExecutor(jobs) as pool:
        for record in pool.map(partial(run_module, place=place, logs=logs), modules):
            whole.update(record)
    return whole


def run_place(
    place: Place, modules: Sequence[str], misses: Sequence[Miss], options: argparse.Namespace
) -> bool:
    """Run and judge all modules, print what it came to, and tell whether that is success."""
    logs = options.keep.resolve() / (place.backend or place.loop)
    logs.mkdir(parents=True, exist_ok=True)
    record = run_modules(modules, place, logs, options.jobs)
    judged = partial(judge, misses=misses, loop="muxloop" if place.loop == OURS else "asyncio")
    # Not all of them know that they are late: what failed runs once more, alone.
    again = sorted({record.modules[test] for test in judged(record.outcomes).undeclared})
    if len(again) <= _AGAIN_AT_MOST:
        record.update(run_modules(again, place, logs, 1))
    judgement = judged(record.outcomes)
    for complaint in judgement.complaints:
        text = record.texts.get(complaint.partition(" ")[0], "")
        print(f"ci/gevent_tests.sh: {place}: {complaint} {text}; see {logs}", file=sys.stderr)
    if not judgement.complaints:
        print(f"{place}: {judgement.passed} passed, {judgement.declared} declared", flush=True)
    return not judgement.complaints


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="ci/gevent_tests.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    available = [backend.name for backend in muxloop.backends() if backend.available]
    parser.add_argument(
        "backends", nargs="*", metavar="BACKEND", help=f"of {', '.join(available)}; none: all"
    )
    parser.add_argument("--loop", default=OURS, help="another loop that gevent knows, such as libev-cext")
    parser.add_argument("--only", action="append", metavar="MODULE", help="such as test__pool")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="modules at the same time")
    parser.add_argument(
        "--keep", type=Path, default=HERE.parents[1] / ".gevent-tests" / "logs", metavar="DIR"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.backends if name not in available]
    if unknown:
        parser.error(f"not available here: {', '.join(unknown)}; there are {', '.join(available)}")
    modules = sorted(path.stem for path in tests_folder().glob("test_*.py"))
    absent = [name for name in options.only or [] if name not in modules]
    if absent:
        parser.error(f"gevent has no test module {', '.join(absent)}")
    modules = options.only or modules
    misses = misses_in(tomllib.loads((HERE / "declared.toml").read_text(encoding="utf-8")))
    misses = [miss for miss in misses if miss.test.partition(".")[0] in modules]
    places = [Place(options.loop, "")]
    if options.loop == OURS:
        places = [Place(OURS, backend) for backend in options.backends or available]
    successes = [run_place(place, modules, misses, options) for place in places]
    return 0 if all(successes) else 1


if __name__ == "__main__":
    sys.exit(main())
