"""``python ci/soak``: a randomised soak of all backends at the same time, one process each.

Prints one line for each backend, and under it what was wrong: messages lost, doubled or out of order;
descriptors, threads, children, registrations or tasks that are not as many as before; 200 objects of a type
or 16 MiB of memory more than before; a loop at rest that does something. Exit codes: 0 all ended as they
began; 1 one did not, or hung, or died; 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from muxloop import backends

_HERE = Path(__file__).resolve().parent
_EMULATED = "kqueue-emulated"
_LOOP = "muxloop:EventLoop"
_STACK_LINES = 60


class Process:
    """The soak of one backend."""

    def __init__(self, backend: str, options: argparse.Namespace) -> None:
        self.backend = backend
        self._again = f"ci/soak.sh {options.minutes:g} --seed {options.seed} --backend {backend}"
        if options.loop != _LOOP:
            self._again += f" --loop {options.loop}"
        self._limit_s = options.minutes * 60 + 10 * options.patience
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `verdict`
        self._output: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115
        job = {
            "backend": backend,
            "loop": options.loop,
            "seed": options.seed,
            "seconds": options.minutes * 60,
            "patience_s": options.patience,
        }
        self._process = subprocess.Popen(
            [sys.executable, _HERE / "one_backend.py", json.dumps(job)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._errors,
        )
        self._started = time.monotonic()

    def wait(self) -> None:
        """Until it has ended, or should have long ago: SIGABRT then makes it print its stacks."""
        try:
            self._process.wait(max(0.0, self._started + self._limit_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            self._process.wait()

    def kill(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.wait()

    def verdict(self) -> tuple[bool, str]:
        """Whether all was well, and the lines to print."""
        with self._errors, self._output:
            self._errors.seek(0)
            self._output.seek(0)
            errors, output = self._errors.read(), self._output.read()
        code = self._process.returncode
        if code or not output:
            said = "\n".join(f"    {line}" for line in errors.splitlines()[-_STACK_LINES:])
            return False, f"{self.backend:16} {_ending(code, errors)}\n{said}\n    again: {self._again}"
        report: dict[str, Any] = json.loads(output)
        if errors:
            report["faults"].append(f"on standard error: {errors.strip()[-2000:]}")
        line = f"{self.backend:16} {'DIFFERS' if report['faults'] else 'ok'}: {_in_words(report)}"
        if not report["faults"]:
            return True, line
        faults = "\n".join(f"    {fault}" for fault in report["faults"])
        return False, f"{line}\n{faults}\n    again: {self._again}"


def _ending(code: int, errors: str) -> str:
    if errors.startswith("Timeout ("):  # of faulthandler
        return "HUNG"
    if code < 0:
        return f"DIED of {signal.Signals(-code).name}"
    return f"FAILED with exit code {code}"


def _in_words(report: dict[str, Any]) -> str:
    counts = ", ".join(f"{report[name]} {name}" for name in ("activities", "messages", "checkpoints"))
    held = ", ".join(f"{name} {report[name][0]} -> {report[name][1]}" for name in ("descriptors", "threads"))
    mebibytes = [kib / 1024 for kib in report["memory_kib"]]
    memory = " -> ".join(f"{mebibytes[place]:.1f}" for place in (0, len(mebibytes) // 2, -1) if mebibytes)
    cpu_ms, waits = report["idle"]
    return f"{counts}; {held}, memory {memory} MiB; idle {cpu_ms:.1f} ms CPU, {waits} waits"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for and return the exit code."""
    available = [backend.name for backend in backends() if backend.available and backend.source == "built in"]
    if sys.platform.startswith("linux"):
        available.append(_EMULATED)
    parser = argparse.ArgumentParser(prog="ci/soak.sh", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("minutes", metavar="MINUTES", type=_positive, nargs="?", default=30.0, help="30 if not given")
    add("--backend", action="append", choices=available, help="this one; can be given again")
    add("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    add("--patience", metavar="SECONDS", type=_positive, default=60.0, help="until something counts as hung")
    add("--loop", metavar="MODULE:CLASS", default=_LOOP, help="a loop that takes a selector")
    options = parser.parse_args(arguments)
    if not Path("/proc/self/fd").exists():
        parser.error(f"{sys.platform} has no /proc/self/fd, where the soak counts; run it on Linux")
    print(f"soak: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    processes = [Process(backend, options) for backend in options.backend or available]
    succeeded = True
    try:
        for process in processes:
            process.wait()
            well, lines = process.verdict()
            print(lines, flush=True)
            succeeded = succeeded and well
    finally:
        for process in processes:
            process.kill()
    return 0 if succeeded else 1


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
