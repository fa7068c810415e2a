"""Programs as Python scripts, to read and to paste."""

from __future__ import annotations

from .program import Program, as_json


def as_python(program: Program, subject: str, judges: str) -> str:
    """The program as a script."""
    return f"# {subject} {judges}\n{as_json(program)}\n"
