"""Text set as Markdown (GitHub's dialect): what a subject said stays text, and ends no cell and no fence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .inert import inert, inert_line

# An underscore within a word marks nothing in this dialect, and escaped it is hard to read.
_MARKING = re.compile(r"[\\`*\[\]<>|&~]|(?<![^\W_])_|_(?![^\W_])")


def line(text: str) -> str:
    """``text`` on one line, with nothing in it that marks up: for the middle of a line, or a cell."""
    return _MARKING.sub(lambda found: f"\\{found[0]}", inert_line(text))


def code(text: str) -> str:
    """``text`` as code within a line; not for table cells, where a pipe would end it."""
    shown = inert_line(text)
    ticks = "`" * (_longest_run(shown) + 1)
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{room}{shown}{room}{ticks}" if shown else ""


def fenced(text: str, language: str = "") -> str:
    """``text`` as a block of code, line breaks and all."""
    shown = inert(text).strip("\n")
    fence = "`" * max(_longest_run(shown) + 1, 3)
    return f"{fence}{language}\n{shown}\n{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are set already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def folded(title: str, body: str) -> str:
    """``body`` behind a title that unfolds it; the title is set already."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
