"""The run as Markdown: for a pull request, a chat, or the summary of a step on GitHub.

A step's summary holds 1 MiB and is dropped whole when it is longer, so what breaks is told in full only as
long as there is room; the rest is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..verdict import Report, SubjectReport, Verdict, Witness
from . import marking
from .catalogue import GROUP_TITLES, Catalogue, Rule
from .comparison import Comparison
from .destination import AnyPath, write_whole
from .standing import NOTHING, SEVERITY, Standing, Tally, counted, headline, standing_of, verb

MOST_BYTES = 900_000
"""Of all failures together; what else there is takes some kilobytes."""

MARKS = {
    Standing.FAILS: "❌",
    Standing.DEVIATES: "⚠️",
    Standing.DECLARED: "☑️",
    Standing.HELD: "✅",
    Standing.UNJUDGED: NOTHING,
}


def write_markdown(
    report: Report,
    rules: Iterable[Rule],
    path: AnyPath,
    *,
    strict: bool = False,
    comparison: Comparison | None = None,
) -> None:
    """Write ``report`` as Markdown to ``path``, atomically.

    With ``strict`` every broken rule counts as a failure. Raises UsageError when ``path`` cannot be written.
    """
    page = _Page(report, Catalogue(rules), strict)
    parts = [
        page.head(),
        page.groups(),
        page.matrix(),
        *([compared(comparison)] if comparison is not None else []),
        page.stale(),
        *page.broken(),
        page.unjudged(),
        page.environment(),
    ]
    write_whole(path, "\n\n".join(part for part in parts if part) + "\n")


def compared(comparison: Comparison) -> str:
    """The section on what has changed since an earlier report."""
    parts = [
        f"## Compared with {marking.code(comparison.earlier)}",
        f"{marking.line(_capital(comparison.sentence))}.",
    ]
    if comparison.changes:
        rows = [
            [marking.line(cell) for cell in (c.turn, c.subject, c.rule, c.was, c.now)]
            for c in comparison.changes
        ]
        parts.append(marking.table(["", "subject", "rule", "then", "now"], rows))
    lists = {
        "New rules": comparison.new_rules,
        "Rules no longer judged": comparison.gone_rules,
        "New subjects": comparison.new_subjects,
        "Subjects no longer judged": comparison.gone_subjects,
    }
    told = [f"- {title}: {', '.join(map(marking.line, names))}" for title, names in lists.items() if names]
    if told:
        parts.append("\n".join(told))
    if comparison.facts:
        rows = [[marking.line(cell) for cell in (f.name, f.was, f.now)] for f in comparison.facts]
        parts.append(marking.folded("What else was different", marking.table(["", "then", "now"], rows)))
    return "\n\n".join(parts)


class _Page:
    """The parts of the page, each empty where there is nothing to tell."""

    def __init__(self, report: Report, catalogue: Catalogue, strict: bool) -> None:
        self._report = report
        self._catalogue = catalogue
        self._strict = strict
        self._verdicts = [{v.rule: v for v in subject.results} for subject in report.subjects]

    def head(self) -> str:
        report = self._report
        shard = f" · shard {marking.line(report.shard)}" if report.shard is not None else ""
        strict = " · strict: every broken rule fails" if self._strict else ""
        return (
            f"# {marking.line(headline(report, strict=self._strict))}\n\n"
            f"Seed {report.seed} · profile {marking.line(report.profile)} · "
            f"rules version {marking.line(report.rules_version)} · {report.duration_s:.1f} s{shard}{strict}"
        )

    def groups(self) -> str:
        """Subjects down, groups of rules across: how many held, and what did not."""
        groups = list(self._catalogue.judged_in(self._report))
        if not groups:
            return ""
        rows = [
            [
                f"**{marking.line(subject.subject)}** {marking.line(subject.version)}",
                *(self._group_cell(subject, group) for group in groups),
            ]
            for subject in self._report.subjects
        ]
        return marking.table(["subject", *map(marking.line, groups)], rows)

    def _group_cell(self, subject: SubjectReport, group: str) -> str:
        of_group = (v for v in subject.results if self._catalogue.of(v).group == group)
        tally = Tally.of(of_group, strict=self._strict)
        if not tally.judged:
            return MARKS[Standing.UNJUDGED]
        counts = {s: getattr(tally, s) for s in (Standing.FAILS, Standing.DEVIATES, Standing.DECLARED)}
        bad = [
            f"{MARKS[standing]} {number} {verb(standing, number)}"
            for standing, number in counts.items()
            if number
        ]
        if not bad:
            return f"{MARKS[Standing.HELD]} {tally.held}"
        return "<br>".join([*bad, f"{tally.held} of {tally.judged} held"])

    def matrix(self) -> str:
        """Rules down, subjects across, a mark in each cell."""
        rows = []
        for group, rules in self._catalogue.judged_in(self._report).items():
            title = f"**{marking.line(GROUP_TITLES.get(group, group))}**"
            rows.append([marking.line(group), title, *[""] * len(self._verdicts)])
            for rule in rules:
                marks = [self._mark(verdicts.get(rule.id)) for verdicts in self._verdicts]
                told = f"{marking.line(rule.id)} ({marking.line(rule.level)})"
                rows.append([told, marking.line(rule.sentence), *marks])
        if not rows:
            return ""
        names = [marking.line(subject.subject) for subject in self._report.subjects]
        legend = " · ".join(f"{mark} {standing}" for standing, mark in MARKS.items())
        body = f"{legend}\n\n{marking.table(['rule', '', *names], rows)}"
        return marking.folded("Every rule on every subject", body)

    def _mark(self, verdict: Verdict | None) -> str:
        if verdict is None:
            return ""
        mark = MARKS[self._standing(verdict)]
        return mark if verdict.outcome in ("held", "broken") else f"{mark} {marking.line(verdict.outcome)}"

    def stale(self) -> str:
        told = [f"- {marking.line(sentence)}" for sentence in self._report.stale_declarations]
        title = "## Declared deviations that have gone away"
        return "\n".join([title, "", "The run fails until these are removed.", "", *told]) if told else ""

    def broken(self) -> Iterator[str]:
        """What broke, subject by subject, the gravest first; what there is no room for by its name."""
        room = MOST_BYTES
        left_out: list[str] = []
        for subject in self._report.subjects:
            bad = [verdict for verdict in subject.results if verdict.bad]
            if not bad:
                continue
            bad.sort(key=lambda v: (SEVERITY[self._standing(v)], self._catalogue.position(v.rule)))
            yield f"## {marking.line(subject.subject)}: {counted(len(bad), 'broken rule')}"
            for verdict in bad:
                told = self._failure(verdict)
                room -= len(told.encode("utf-8", "backslashreplace"))
                if room >= 0:
                    yield told
                else:
                    left_out.append(marking.line(f"{subject.subject} {verdict.rule}"))
        if left_out:
            yield f"No room here, see the JSON or HTML report: {', '.join(left_out)}."

    def _failure(self, verdict: Verdict) -> str:
        standing = self._standing(verdict)
        rule = self._catalogue.of(verdict)
        parts = [
            f"### {MARKS[standing]} {marking.line(verdict.rule)} (level {marking.line(verdict.level)}): "
            f"{marking.line(verdict.outcome)}, {standing}",
            f"{marking.line(rule.sentence)} (source: {marking.line(rule.source)})",
        ]
        if verdict.declared is not None:
            parts.append(f"**Declared:** {marking.line(verdict.declared)}")
        if verdict.asyncio_too:
            parts.append(f"**asyncio** is known to break this rule, too: {marking.line(verdict.asyncio_too)}")
        if verdict.remark:
            parts.append(marking.line(verdict.remark))
        if verdict.witness is not None:
            parts += self._witness(verdict.witness)
        if verdict.reproduce:
            parts += ["Reproduce:", marking.fenced(verdict.reproduce, "sh")]
        return "\n\n".join(parts)

    def _witness(self, witness: Witness) -> Iterator[str]:
        yield f"- **expected:** {marking.line(witness.expected)}\n- **seen:** {marking.line(witness.seen)}"
        if witness.python.strip():
            yield marking.folded("Script", marking.fenced(witness.python, "python"))
        if witness.stderr:
            yield marking.folded("What the process left on stderr", marking.fenced(witness.stderr, "text"))

    def unjudged(self) -> str:
        """What was not judged, with the reason; rules of one reason together."""
        told = []
        for subject in self._report.subjects:
            reasons: dict[str, list[str]] = {}
            for verdict in subject.results:
                if self._standing(verdict) is Standing.UNJUDGED:
                    reason = f"{verdict.outcome}: {verdict.message}" if verdict.message else verdict.outcome
                    reasons.setdefault(reason, []).append(verdict.rule)
            told += [
                f"- {marking.line(subject.subject)}: {marking.line(', '.join(rules))}, {marking.line(reason)}"
                for reason, rules in reasons.items()
            ]
        return marking.folded("Not judged", "\n".join(told)) if told else ""

    def environment(self) -> str:
        rows = [[marking.line(n), marking.line(value)] for n, value in self._report.environment.items()]
        return marking.folded("Environment", marking.table(["", ""], rows)) if rows else ""

    def _standing(self, verdict: Verdict) -> Standing:
        return standing_of(verdict, strict=self._strict)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
