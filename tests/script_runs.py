"""Runs programs as scripts, and compares what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from muxloop.conformance.program import as_tuples
from muxloop.conformance.rendering import as_python


def printed_by(program: list[object], subject: str, judges: str, folder: Path, rule: str = "") -> list[str]:
    script = folder / "script.py"
    script.write_text(as_python(as_tuples(program), subject, judges, rule))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, script.read_text() + done.stderr
    return done.stdout.splitlines()


def assert_printed(lines: list[str], expected: list[str]) -> None:
    patterns = [re.escape(line).replace(re.escape("..."), ".*") for line in expected]
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), lines
