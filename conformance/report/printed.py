"""The run on a terminal or in a log: a table, what broke and how to see it again, one closing line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from ..verdict import Report, SubjectReport, Verdict, Witness
from .catalogue import Catalogue, Rule
from .comparison import Comparison, Turn
from .extras import optional_import
from .inert import inert, inert_line
from .standing import NOTHING, SEVERITY, Standing, Tally, counted, headline, standing_of, verb
from .terminal import page_on

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

COLOURS = {
    Standing.FAILS: "bold red",
    Standing.DEVIATES: "yellow",
    Standing.DECLARED: "cyan",
    Standing.HELD: "green",
    Standing.UNJUDGED: "dim",
}

PROGRAM_LINES = 80
_NOT_WORTH_HIDING = 20
TEXT_LINES = 12
SUBJECT_WIDTH = 36
WIDE = 2.0
"""A tolerance beyond this is told: what is late by less is not seen."""


def print_report(
    report: Report,
    rules: Iterable[Rule],
    stream: TextIO,
    *,
    strict: bool = False,
    comparison: Comparison | None = None,
) -> None:
    """Print ``report`` to ``stream``: colours on a terminal only, 100 columns wide when the width is unknown.

    Commands to copy stand on one line of their own, never wrapped. A program or rule already shown for an
    earlier subject is referred to, not repeated. With ``strict`` every broken rule counts as a failure.
    Raises MuxloopError when rich is missing.
    """
    with page_on(stream) as console:
        _Printer(console, Catalogue(rules), strict).print(report, comparison)


def verdict_in_words(subject: str, verdict: Verdict) -> str:
    """One bad verdict as plain text: what an assertion error says."""
    lines = [f"{subject}: {verdict.rule} (level {verdict.level}) {verdict.outcome}: {verdict.message}"]
    if verdict.witness is not None:
        lines += ["", "program:", inert(verdict.witness.python).rstrip()]
        if verdict.witness.stderr:
            lines += ["", "stderr:", inert(verdict.witness.stderr).rstrip()]
    if verdict.reproduce:
        lines += ["", "reproduce:", inert(verdict.reproduce)]
    return "\n".join(lines)


class _Printer:
    def __init__(self, console: Console, catalogue: Catalogue, strict: bool) -> None:
        self._console = console
        self._catalogue = catalogue
        self._strict = strict
        self._told_rules: set[str] = set()
        self._shown_programs: dict[tuple[str, str], str] = {}

    def print(self, report: Report, comparison: Comparison | None) -> None:
        for table in self._tables(report):
            self._console.print(table)
        for subject in report.subjects:
            self._subject(subject)
        self._unjudged(report)
        if report.stale_declarations:
            self._heading("Declared deviations that have gone away: remove their declarations")
            for sentence in report.stale_declarations:
                self._line(f"  {inert_line(sentence)}", COLOURS[Standing.FAILS])
        if comparison is not None:
            self._compared(comparison)
        self._line("")
        self._meaning_of_held(report)
        self._closing(report)

    # --- the table ------------------------------------------------------------------------------

    def _tables(self, report: Report) -> list[Table]:
        """Subjects down, rule groups across; as many tables below one another as the width asks for."""
        names = [inert_line(subject.subject) for subject in report.subjects]
        room = self._console.width - min(max([len("subject"), *map(len, names)]), SUBJECT_WIDTH) - 3
        columns: list[list[str]] = [[]]
        cells: dict[str, list[list[tuple[str, Standing]]]] = {}
        left = room
        for group in self._catalogue.judged_in(report):
            cells[group] = [self._cell(subject, group) for subject in report.subjects]
            width = 3 + max(
                len(line) for cell in [[(group, Standing.HELD)], *cells[group]] for line, _ in cell
            )
            if width > left and columns[-1]:
                columns.append([])
                left = room
            columns[-1].append(group)
            left -= width
        return [self._table(names, {group: cells[group] for group in groups}) for groups in columns if groups]

    def _table(self, names: list[str], cells: dict[str, list[list[tuple[str, Standing]]]]) -> Table:
        box = optional_import("rich.box", "the printed report")
        table: Table = optional_import("rich.table", "the printed report").Table(
            box=box.SIMPLE_HEAD, pad_edge=False
        )
        text = optional_import("rich.text", "the printed report").Text
        table.add_column("subject", overflow="fold", max_width=SUBJECT_WIDTH)
        for group in cells:
            table.add_column(group, no_wrap=True)
        for row, name in enumerate(names):
            lines = []
            for column in cells.values():
                cell = text("\n").join(text(line, COLOURS[standing]) for line, standing in column[row])
                lines.append(cell)
            table.add_row(text(name), *lines)
        return table

    def _cell(self, subject: SubjectReport, group: str) -> list[tuple[str, Standing]]:
        of_group = (v for v in subject.results if self._catalogue.of(v).group == group)
        tally = Tally.of(of_group, strict=self._strict)
        if not tally.judged:
            return [(NOTHING, Standing.UNJUDGED)]
        held = f"{tally.held}/{tally.judged} held"
        cell = [(held, Standing.UNJUDGED if tally.bad else Standing.HELD)]
        for standing in (Standing.FAILS, Standing.DEVIATES, Standing.DECLARED):
            if number := getattr(tally, standing):
                cell.append((f"{number} {verb(standing, number)}", standing))
        return cell

    # --- what broke -----------------------------------------------------------------------------

    def _subject(self, subject: SubjectReport) -> None:
        bad = [verdict for verdict in subject.results if verdict.bad]
        if not bad:
            return
        bad.sort(key=lambda v: (SEVERITY[self._standing(v)], self._catalogue.position(v.rule)))
        self._heading(inert_line(subject.subject + _made_of(subject)))
        for verdict in bad:
            self._verdict(subject, verdict)

    def _verdict(self, subject: SubjectReport, verdict: Verdict) -> None:
        standing = self._standing(verdict)
        rule = self._catalogue.of(verdict)
        self._line("")
        title = f"{verdict.rule} (level {verdict.level}) {verdict.outcome}: {standing}"
        self._line(inert_line(title), COLOURS[standing])
        if verdict.declared is not None:
            self._labelled("declared", verdict.declared)
        if verdict.rule not in self._told_rules:
            self._told_rules.add(verdict.rule)
            self._labelled("rule", rule.sentence)
            self._labelled("source", rule.source)
        if verdict.asyncio_too:
            self._labelled("asyncio", f"is known to break this rule, too: {verdict.asyncio_too}")
        if verdict.remark:
            self._labelled("message", verdict.remark)
        if verdict.witness is not None:
            self._witness(subject, verdict, verdict.witness)
        if verdict.reproduce:
            self._line("  reproduce:", "dim")
            self._line(inert(verdict.reproduce))

    def _witness(self, subject: SubjectReport, verdict: Verdict, witness: Witness) -> None:
        if verdict.declared is None or self._strict:
            self._labelled("expected", witness.expected)
        self._labelled("seen", witness.seen)
        if verdict.declared is not None and not self._strict:
            return  # known and explained: the reason and the command are enough
        if witness.stderr:
            self._labelled("stderr", witness.stderr, last=True)
        shown = self._shown_programs.setdefault((verdict.rule, witness.python), subject.subject)
        if shown != subject.subject:
            self._labelled("program", f"the same as under {shown}, {verdict.rule}")
        elif witness.python.strip():
            self._program(witness.python)

    def _program(self, python: str) -> None:
        syntax = optional_import("rich.syntax", "the printed report").Syntax
        lines = inert(python).strip("\n").expandtabs(4).split("\n")
        most = PROGRAM_LINES if len(lines) > PROGRAM_LINES + _NOT_WORTH_HIDING else len(lines)
        self._line("  program:", "dim")
        shown = syntax("", "python", theme="ansi_dark", background_color="default")
        for line in shown.highlight("\n".join(lines[:most])).split("\n"):
            line.rstrip()
            if line.plain:
                line.pad_left(4)
            self._console.print(line, soft_wrap=True)
        if len(lines) > most:
            self._line(
                f"    … {counted(len(lines) - most, 'line')} more; --programs DIR writes all of it",
                "dim",
            )

    # --- what was not judged ---------------------------------------------------------------------

    def _unjudged(self, report: Report) -> None:
        """One line for subjects that the same was not asked of, with the rules under their reasons."""
        lines: dict[str, list[str]] = {}
        for subject in report.subjects:
            if told := _unjudged_in_words(subject):
                lines.setdefault(told, []).append(subject.subject)
        if lines:
            self._heading("Not judged")
        for told, subjects in lines.items():
            self._labelled("on", ", ".join(subjects))
            self._labelled("why", told)

    # --- what has changed -----------------------------------------------------------------------

    def _compared(self, comparison: Comparison) -> None:
        self._heading(inert_line(f"Compared with {comparison.earlier}: {comparison.sentence}"))
        for change in comparison.changes:
            colour = COLOURS[Standing.HELD if change.turn is Turn.MENDED else Standing.DEVIATES]
            style = COLOURS[Standing.FAILS] if change.turn is Turn.BROKEN else colour
            told = f"{change.turn}: {change.subject} {change.rule} (then {change.was}; now {change.now})"
            self._line(f"  {inert_line(told)}", style)
        lists = {
            "new rules": comparison.new_rules,
            "no longer judged": [*comparison.gone_rules, *comparison.gone_subjects],
            "new subjects": comparison.new_subjects,
        }
        for title, names in lists.items():
            if names:
                self._line("  " + inert_line(f"{title}: {', '.join(names)}"))
        for fact in comparison.facts:
            self._line("  " + inert_line(f"{fact.name}: then {fact.was}, now {fact.now}"), "dim")

    # --- the end --------------------------------------------------------------------------------

    def _meaning_of_held(self, report: Report) -> None:
        held = [v for subject in report.subjects for v in subject.results if v.outcome == "held"]
        if played := sum(verdict.examples for verdict in held):
            self._labelled(
                "held",
                f"none of the {counted(played, 'program')} played for the rules that held broke one, which "
                "is no proof: other seeds and --profile thorough play others",
            )

    def _closing(self, report: Report) -> None:
        tallies = [(inert_line(s.subject), Tally.of(s.results, strict=self._strict)) for s in report.subjects]
        failing = [f"{name} ({counted(t.fails, 'rule')})" for name, t in tallies if t.fails]
        deviating = []
        for name, t in tallies:
            if t.deviates + t.declared:
                declared = f", {t.declared} declared" if t.declared else ""
                deviating.append(f"{name} ({counted(t.deviates + t.declared, 'rule')}{declared})")
        parts = [headline(report, strict=self._strict)]
        if failing:
            parts.append(f"Fails: {', '.join(failing)}")
        if deviating:
            parts.append(f"Deviates: {', '.join(deviating)}")
        if report.stale_declarations:
            parts.append(counted(len(report.stale_declarations), "stale declaration"))
        shard = f", shard {report.shard}" if report.shard is not None else ""
        took = f"{report.duration_s:.1f} s{shard}{_widened(report)}"
        parts.append(f"Seed {report.seed}, profile {report.profile}, {took}")
        worst = min((t.worst for _, t in tallies), key=SEVERITY.__getitem__, default=Standing.UNJUDGED)
        self._line(inert_line(". ".join(parts) + "."), COLOURS[worst])

    def _standing(self, verdict: Verdict) -> Standing:
        return standing_of(verdict, strict=self._strict)

    def _heading(self, text: str) -> None:
        self._line("")
        self._line(text, "bold underline")

    def _line(self, text: str, style: str = "") -> None:
        """One line as it is: the terminal may break it, we never do, so that it can be copied."""
        self._console.print(text, style=style or None, soft_wrap=True)

    def _labelled(self, label: str, text: str, *, last: bool = False) -> None:
        """``label`` and then ``text``, wrapped under its own start; the first lines of it, or the last."""
        rich_text = optional_import("rich.text", "the printed report").Text
        lines = inert(text).strip("\n").split("\n")
        if len(lines) > TEXT_LINES:
            note = f"… {len(lines) - TEXT_LINES} more lines"
            lines = [note, *lines[-TEXT_LINES:]] if last else [*lines[:TEXT_LINES], note]
        margin = "  " + f"{label}: ".ljust(10)
        width = max(self._console.width - len(margin), 20)
        body = rich_text("\n".join(lines)).wrap(self._console, width)
        for number, line in enumerate(body):
            line.rstrip()
            start = rich_text(margin if number == 0 else " " * len(margin), "dim")
            self._console.print(start + line, soft_wrap=True)


def _made_of(subject: SubjectReport) -> str:
    """Version and backend in parentheses, as far as they are known."""
    version = subject.version if subject.version != "unknown" else ""
    backend = f"on {subject.backend}" if subject.backend else ""
    told = " ".join(part for part in (version, backend) if part)
    return f" ({told})" if told else ""


def _unjudged_in_words(subject: SubjectReport) -> str:
    """``2 not offered: NotImplementedError: the loop has no f() (A-01, A-02); 1 skipped: …``."""
    parts = []
    for outcome in ("not-offered", "skipped"):
        rules: dict[str, list[str]] = {}
        for verdict in subject.results:
            if verdict.outcome == outcome:
                rules.setdefault(verdict.message or "no reason given", []).append(verdict.rule)
        if rules:
            reasons = ", ".join(f"{reason} ({', '.join(ids)})" for reason, ids in rules.items())
            parts.append(f"{sum(map(len, rules.values()))} {outcome.replace('-', ' ')}: {reasons}")
    return "; ".join(parts)


def _widened(report: Report) -> str:
    """By how much upper bounds of time were widened, where that hides much; of several machines the most."""
    factors = [float(factor) for factor in re.findall(r"[0-9.]+", report.environment.get("tolerance", ""))]
    widest = max(factors, default=1.0)
    return f", upper bounds of time widened {widest:.1f} times" if widest > WIDE else ""
