"""The Markdown report: all is told, nothing that a subject said marks anything up, and it fits its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from muxloop.conformance.report import write_markdown
from muxloop.conformance.verdict import Report, SubjectReport, Verdict
from test_report_samples import (
    ESCAPES,
    HOSTILE,
    PROGRAM,
    RULES,
    all_held,
    bad,
    full_report,
    reproduce,
    sample_report,
    witness,
)


def markdown(report: Report, folder: Path, *, strict: bool = False) -> str:
    write_markdown(report, RULES, folder / "out.md", strict=strict)
    return (folder / "out.md").read_text("utf-8")


def of(*verdicts: Verdict) -> Report:
    return sample_report(SubjectReport("s", "1", None, list(verdicts)))


def outside_code(page: str) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^(`{3,}).*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE)


def test_the_headline_is_the_verdict_in_words(tmp_path: Path) -> None:
    first, _, facts, *_ = markdown(full_report(), tmp_path).splitlines()
    assert first == "# 3 of 6 subjects fail, 1 deviates, 2 hold every rule"
    assert facts == "Seed 20261122 · profile default · rules version 1 · 63.2 s"


def test_a_glance_shows_each_subject_and_group(tmp_path: Path) -> None:
    rows = {row[0]: row[1:] for row in _rows(markdown(full_report(), tmp_path))}
    assert rows["subject"][:3] == ["ORD", "TMR", "HEAP"]
    assert rows["**muxloop** 0.1.0"][:3] == ["✅ 3", "✅ 3", "✅ 1"]
    assert rows["**uvloop** 0.23.0"][:2] == ["⚠️ 1 deviates<br>2 of 3 held", "❌ 1 fails<br>2 of 3 held"]
    assert rows["TMR-01 (R)"][1:] == ["✅", "✅", "❌", "❌", "✅", ""]
    assert rows["HEAP-01 (C)"][4] == "⚠️ hung"


def test_every_row_of_a_table_has_as_many_cells_as_its_head(tmp_path: Path) -> None:
    tables: list[list[list[str]]] = [[]]
    for line in outside_code(markdown(full_report(), tmp_path)).splitlines():
        if line.startswith("|"):
            tables[-1].append(_cells(line))
        elif tables[-1]:
            tables.append([])
    lengths = [{len(row) for row in table} for table in tables if table]
    assert len(lengths) >= 3
    assert all(len(of_table) == 1 for of_table in lengths)


def test_a_failure_tells_all(tmp_path: Path) -> None:
    page = markdown(of(bad("s", "TMR-01")), tmp_path)
    assert "### ❌ TMR-01 (level R): broken, fails\n" in page
    assert "A timer runs once, never before its deadline less one clock resolution. (source: asyncio" in page
    assert f"- **expected:** {witness().expected}\n- **seen:** {witness().seen}\n" in page
    assert f"```python\n{PROGRAM.strip()}\n```" in page
    assert f"```sh\n{reproduce('s', 'TMR-01')}\n```" in page


def test_a_declared_deviation_gives_its_reason(tmp_path: Path) -> None:
    page = markdown(of(bad("s", "IO-03", declared="known since 0.1")), tmp_path)
    assert "### ☑️ IO-03 (level R): broken, declared\n" in page
    assert "**Declared:** known since 0.1" in page
    assert "❌ IO-03" in markdown(of(bad("s", "IO-03", declared="known")), tmp_path, strict=True)


def test_what_was_not_judged_is_told_by_reason(tmp_path: Path) -> None:
    skipped = [Verdict(rule, "R", "not-offered", message="no timers") for rule in ("TMR-01", "TMR-09")]
    assert "- s: TMR-01, TMR-09, not-offered: no timers\n" in markdown(of(*skipped), tmp_path)


def test_hostile_text_marks_nothing_up(tmp_path: Path) -> None:
    page = outside_code(markdown(full_report(), tmp_path))
    ours = {"details", "/details", "summary", "/summary", "br"}
    assert set(re.findall(r"(?<!\\)<([^>]*)>", page)) <= ours
    assert not re.search(r"(?<!\\)&", page)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


@pytest.mark.parametrize("text", ["```\n# out", "````", "~~~\n```\n", HOSTILE + ESCAPES])
def test_a_script_cannot_leave_its_fence(text: str, tmp_path: Path) -> None:
    page = markdown(of(bad("s", "TMR-01", witness=witness(python=text))), tmp_path)
    fence = re.search(r"^(`{3,})python\n(.*?)^\1\n", page, re.DOTALL | re.MULTILINE)
    assert fence
    assert fence[2].strip("\n").startswith(text.split("\x1b")[0].strip("\n"))
    assert "\n# out" not in outside_code(page)


def test_a_long_report_fits_the_summary_of_a_step(tmp_path: Path) -> None:
    long = witness(stderr="x" * 200_000)
    page = markdown(of(*(bad("s", rule.id, witness=long) for rule in RULES)), tmp_path)
    assert len(page.encode()) < 1024**2
    (rest,) = re.findall(r"^No room here, see the JSON or HTML report: (.*)\.$", page, re.MULTILINE)
    told = re.findall(r"^### \S+ (\S+)", page, re.MULTILINE)
    assert sorted([*told, *(name.removeprefix("s ") for name in rest.split(", "))]) == sorted(
        rule.id for rule in RULES
    )


def test_a_clean_and_an_empty_run_are_pages_too(tmp_path: Path) -> None:
    clean = markdown(sample_report(SubjectReport("muxloop", "1", "epoll", all_held())), tmp_path)
    assert clean.startswith("# muxloop holds every rule\n")
    assert "##" not in clean
    assert markdown(sample_report(), tmp_path).startswith("# No subject was judged\n")


def test_stale_declarations_are_told(tmp_path: Path) -> None:
    assert "- asyncio@select ORD-03 is declared and held in 200 programs\n" in markdown(
        full_report(), tmp_path
    )


def _rows(page: str) -> list[list[str]]:
    return [_cells(line) for line in page.splitlines() if line.startswith("| ")]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
