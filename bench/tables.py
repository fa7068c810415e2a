"""Tables as Markdown, which a terminal shows aligned and a document takes as they are."""

from __future__ import annotations

from collections.abc import Sequence

from .benchmark import Table


def markdown(table: Table) -> str:
    """The table: the first column to the left, figures to the right."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    rule = [("-" * width if place == 0 else "-" * (width - 1) + ":") for place, width in enumerate(widths)]
    lines = [_line(row, widths) for row in (table.columns, rule, *table.rows)]
    return "\n".join([f"**{table.title}**", "", *lines, ""])


def _line(row: Sequence[str], widths: list[int]) -> str:
    cells = [
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"
