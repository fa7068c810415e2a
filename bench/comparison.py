"""Figures of several rounds beside those of a counterpart: medians, spread, ratio."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from .benchmark import Measured, Request, Table, quantile


def comparison_records(
    measured: Sequence[Measured], case_of: Callable[[Request], str], counterpart_of: Callable[[str], str]
) -> list[dict[str, Any]]:
    """A record for each contestant, case, and figure of the answers that ends in ``_us``."""
    by_key = {(each.contestant, case_of(each.request)): each for each in measured}
    records = []
    for each in measured:
        case = case_of(each.request)
        counterpart = by_key.get((counterpart_of(each.contestant), case))
        for figure in (name for name in each.answers[0] if name.endswith("_us")):
            values = [answer[figure] for answer in each.answers]
            rest = {name: value for name, value in each.answers[0].items() if not name.endswith("_us")}
            ratio = None
            if counterpart is not None:
                ratio = paired_ratio(values, [answer[figure] for answer in counterpart.answers])
            records.append(
                {
                    "contestant": each.contestant,
                    "case": case,
                    "figure": figure,
                    **rest,
                    "median_us": statistics.median(values),
                    "p10_us": quantile(values, 0.1),
                    "p90_us": quantile(values, 0.9),
                    "ratio": ratio,
                }
            )
    return records


def comparison_tables(records: Sequence[dict[str, Any]], who: Sequence[str], to_whom: str) -> list[Table]:
    """A table for each case, three columns for each figure; *who* are the titles of the first columns."""
    found = []
    for case in dict.fromkeys(record["case"] for record in records):
        of_case = [record for record in records if record["case"] == case]
        rows: dict[str, list[str]] = {}
        columns = list(who)
        for record in of_case:
            row = rows.setdefault(
                record["contestant"], [record["contestant"], *(str(record[name]) for name in who[1:])]
            )
            row += [
                f"{record['median_us']:.2f}",
                f"{record['p10_us']:.2f} - {record['p90_us']:.2f}",
                "" if record["ratio"] is None else f"{record['ratio']:.2f}",
            ]
        for figure in dict.fromkeys(record["figure"] for record in of_case):
            columns += [figure.removesuffix("_us"), "p10 - p90", to_whom]
        found.append(Table(f"{case}, in µs", tuple(columns), [tuple(row) for row in rows.values()]))
    return found


def overview(records: Sequence[dict[str, Any]], who: str) -> list[Table]:
    """All cases of records with one figure each: its median, and how many times the counterpart's it is."""
    if not records:  # everybody fell out
        return []
    rows: dict[str, list[str]] = {}
    for record in records:
        ratio = "" if record["ratio"] is None else f" ({record['ratio']:.2f})"
        row = rows.setdefault(record["contestant"], [record["contestant"]])
        row.append(f"{record['median_us']:.2f}{ratio}")
    columns = (who, *dict.fromkeys(record["case"] for record in records))
    title = f"{records[0]['figure'].removesuffix('_us')}, in µs, and the ratio to the standard library"
    return [Table(title, columns, [tuple(row) for row in rows.values()])]


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """How many times theirs ours is: the median over rounds, for noise hits both of a round alike."""
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True) if its]
    return statistics.median(ratios) if ratios else None
