"""Runs the tests and the conformance suite with the interpreter that runs this file, and prints the result.

It is the last step of every ``KIND.sh run``: the current folder is the copy of the work tree, and muxloop
is installed. The last line of standard output is the RESULT line that ci/platforms.sh describes; the exit
code is 0 when nothing failed, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

MOST_TOLD = 6
"""How many broken rules are named in the line; the log has them all."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", metavar="EMULATOR", help="what the system is emulated by: Wine 8.0")
    parser.add_argument("--tests", default="", metavar="ARGUMENTS", help="more of them for pytest")
    parser.add_argument("--without", default="", metavar="FILES", help="files of tests that are left out")
    parser.add_argument("--conform", default="", metavar="ARGUMENTS", help="more of them for muxloop conform")
    parser.add_argument("--jobs", default="2", metavar="N", help="the processes that each may use")
    parser.add_argument("--limit-s", default=3600.0, type=float, metavar="N", help="the time each may take")
    options = parser.parse_args()
    left_out = options.without.split()
    for name in left_out:
        if not Path(name).is_file():
            parser.error(f"--without: {name}: no such file here, so it cannot be left out; mend the list")

    run([sys.executable, "-m", "muxloop", "backends"], limit_s=options.limit_s)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "tests.xml")
        # A platform may be slow, and the machine busy: long waits are no failures here, and hangs still end.
        command = [sys.executable, "-m", "pytest", "-q", "-rfEs", "--timeout=600", "--dist", "worksteal"]
        command += ["-n", options.jobs, f"--junitxml={report}", *(f"--ignore={name}" for name in left_out)]
        ended = run([*command, *options.tests.split()], limit_s=options.limit_s)
        tests = counted(report) if report.exists() else ended or "no report"
        if left_out:
            tests += f", {len(left_out)} files left out"
        failed = bool(ended)

        report = Path(folder, "conformance.json")
        command = [sys.executable, "-m", "muxloop", "conform", "--profile", "quick", "-n", options.jobs]
        ended = run([*command, "--json", str(report), *options.conform.split()], limit_s=options.limit_s)
        conformance = judged(report) if report.exists() else ended or "no report"
        failed = failed or bool(ended)
    print("RESULT", interpreter(), system(options.on), backends(), tests, conformance, sep="\t", flush=True)
    return 1 if failed else 0


def run(command: list[str], *, limit_s: float) -> str:
    """Run a command, its output among ours; how it ended, or "" when it ended well."""
    print("+", *command, flush=True)
    try:
        code = subprocess.run(command, check=False, timeout=limit_s).returncode
    except subprocess.TimeoutExpired:
        return f"no end within {limit_s:g} s"
    return f"exit code {code}" if code else ""


def interpreter() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def system(emulator: str | None) -> str:
    """Kernel, C library, processor and what is unusual about them: ``Linux 6.1 glibc 2.36 i686 32-bit``."""
    kernel = platform.release().partition("-")[0]
    words = [platform.system(), kernel, *platform.libc_ver(), platform.machine()]
    if struct.calcsize("P") == 4:
        words.append("32-bit")
    if sys.byteorder == "big":
        words.append("big-endian")
    if emulator:
        words += ["on", emulator]
    return " ".join(word for word in words if word)


def backends() -> str:
    """The backend that MUXLOOP_BACKEND demands, or else all that are available."""
    forced = os.environ.get("MUXLOOP_BACKEND")
    if forced:
        return forced
    listed = subprocess.run(
        [sys.executable, "-m", "muxloop", "backends", "--json"], capture_output=True, check=False
    )
    if listed.returncode:
        return "unknown"
    return " ".join(backend["name"] for backend in json.loads(listed.stdout) if backend["available"])


def counted(report: Path) -> str:
    """How many tests passed, failed and were skipped, from pytest's JUnit report."""
    suites = ET.parse(report).getroot().iter("testsuite")
    total: Counter[str] = Counter()
    for suite in suites:
        for name in ("tests", "failures", "errors", "skipped"):
            total[name] += int(suite.get(name, 0))
    failed = total["failures"] + total["errors"]
    return f"{total['tests'] - failed - total['skipped']} passed, {failed} failed, {total['skipped']} skipped"


def judged(report: Path) -> str:
    """What the rules say of all subjects, from the report of ``muxloop conform``."""
    subjects = json.loads(report.read_text(encoding="utf-8"))["subjects"]
    outcomes = Counter(result["outcome"] for subject in subjects for result in subject["results"])
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    bad = [
        f"{subject['subject']} {result['rule']}"
        for subject in subjects
        for result in subject["results"]
        if result["outcome"] in {"broken", "hung", "crashed"} and result["declared"] is None
    ]
    named = "".join(f"; {name}" for name in bad[:MOST_TOLD])
    many = "" if len(subjects) == 1 else "s"
    return f"{len(subjects)} subject{many}: {told}{named}{' ...' if len(bad) > MOST_TOLD else ''}"


if __name__ == "__main__":
    sys.exit(main())
