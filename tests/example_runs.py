"""Runs the programs of examples/ as people run them: on muxloop by its command, and on plain asyncio."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loops_under_test import OURS

EXAMPLES = Path(__file__).parent.parent / "examples"
RUNNERS = [*OURS, "asyncio"]


def command(example: str, runner: str, *arguments: str) -> list[str]:
    """What runs an example on a backend of ours, or on asyncio."""
    # -X dev has a program tell of all it forgets, and asyncio of what its peers did.
    run = [] if runner == "asyncio" else ["-X", "dev", "-m", "muxloop", "run", "--backend", runner]
    return [sys.executable, *run, str(EXAMPLES / example), *arguments]


def started(example: str, runner: str, *arguments: str) -> subprocess.Popen[str]:
    """An example that runs."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command(example, runner, *arguments), stdout=pipe, stderr=pipe, text=True)


@contextmanager
def served(example: str, runner: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """A running example, and the address it serves on."""
    program = started(example, runner, *arguments)
    try:
        assert program.stdout is not None
        line = program.stdout.readline()
        assert line, program.communicate()[1]
        host, port = line.split()[-1].split(":")
        yield program, host, int(port)
    finally:
        if program.poll() is None:
            program.kill()
        program.communicate()


def complaints(errors: str) -> str:
    """What a program said on its standard error, but for what is said of the machine or of Python itself.

    That is: a callback took long; and with ``-X dev`` 3.15 complains of the main module of a process that its
    own multiprocessing spawned, which it gave no ``__spec__``.
    """
    excused = r"Executing .* took [\d.]+ seconds|<frozen linecache>:\d+: .* is missing a __spec__\.loader"
    return re.sub(rf"^(?:{excused})\n", "", errors, flags=re.MULTILINE)


def docstring(example: str) -> str:
    """What an example says of itself."""
    return ast.get_docstring(ast.parse((EXAMPLES / example).read_text(encoding="utf-8"))) or ""


def promised(example: str) -> str:
    """What its docstring says that it prints: the indented lines after "It prints ...:"."""
    block = re.search(r"^It prints\b.*:\n\n((?: {4}.*\n?)+)", docstring(example), re.MULTILINE)
    assert block, f"{example}: its docstring has no lines under 'It prints:'"
    return textwrap.dedent(block[1]).rstrip("\n") + "\n"
