"""The run as one self-contained page for people: no network, readable without JavaScript.

Every string in it may come from a loop under test. The template escapes all of them, scripts read text
content only, and a content security policy lets no script run but the page's own, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ...errors import MuxloopError
from ..verdict import Report, SubjectReport, Verdict
from .catalogue import GROUP_TITLES, LEVELS, Catalogue, Rule
from .comparison import Comparison
from .destination import AnyPath, write_whole
from .extras import optional_import
from .inert import inert
from .standing import SEVERITY, Standing, Tally, counted, headline, standing_of, subject_in_words
from .timeline import Timeline, draw_timeline


@dataclass(frozen=True)
class Cell:
    """One square of the matrix: a rule on a subject."""

    rule: Rule
    subject: str
    standing: Standing
    outcome: str
    anchor: str | None
    """Of the card that tells more."""
    hover: str
    turn: str
    """How it has changed since the earlier report; empty when it has not, or there is none."""


@dataclass(frozen=True)
class Card:
    """All there is to say of one broken rule on one subject."""

    anchor: str
    subject: str
    rule: Rule
    verdict: Verdict
    standing: Standing
    turn: str
    script: Any
    program: str
    timeline: Timeline | None
    search: str


@dataclass(frozen=True)
class Section:
    """One subject: its verdict in words, its strip of squares, its cards, and what was not judged."""

    anchor: str
    subject: SubjectReport
    tally: Tally
    words: str
    cells: dict[str, Cell]
    cards: list[Card]
    unjudged: list[Verdict]


def write_html(
    report: Report,
    rules: Iterable[Rule],
    path: AnyPath,
    *,
    strict: bool = False,
    comparison: Comparison | None = None,
) -> None:
    """Write ``report`` as one HTML page to ``path``, atomically.

    The card of a broken rule has the anchor ``#SUBJECT-RULE``, as in ``#uvloop-TMR-01``. With ``strict``
    every broken rule counts as a failure. Raises UsageError when ``path`` cannot be written, MuxloopError
    when jinja2 is missing.
    """
    jinja2 = optional_import("jinja2", "the HTML report")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_template),
    )
    catalogue = Catalogue(rules)
    draft = _Draft(catalogue, strict, _highlighter(_markup()), comparison)
    sections = [draft.section(subject) for subject in report.subjects]
    script = _template("report.js.j2")
    page = environment.get_template("report.html.j2").render(
        report=report,
        headline=headline(report, strict=strict),
        worst=min((s.tally.worst for s in sections), key=SEVERITY.__getitem__, default=Standing.UNJUDGED),
        sections=sections,
        groups=catalogue.judged_in(report),
        group_titles=GROUP_TITLES,
        levels=LEVELS,
        strict=strict,
        comparison=comparison,
        counted=counted,
        duration=_duration(report.duration_s),
        cards=sum(len(section.cards) for section in sections),
        anchors={
            (section.subject.subject, rule_id): cell.anchor
            for section in sections
            for rule_id, cell in section.cells.items()
        },
        script=_markup()(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    write_whole(path, page)


def _finalized(value: Any) -> Any:
    """What every expression of the template passes on its way out: control characters made visible."""
    return inert(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _template(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _markup() -> Any:
    return optional_import("markupsafe", "the HTML report").Markup


class _Draft:
    """Makes the sections of one page; no anchor is given twice."""

    def __init__(
        self, catalogue: Catalogue, strict: bool, highlight: Any, comparison: Comparison | None
    ) -> None:
        self._catalogue = catalogue
        self._strict = strict
        self._highlight = highlight
        self._anchors = _Anchors()
        changes = comparison.changes if comparison is not None else []
        self._turns = {(change.subject, change.rule): str(change.turn) for change in changes}

    def section(self, subject: SubjectReport) -> Section:
        cells: dict[str, Cell] = {}
        cards: list[Card] = []
        unjudged: list[Verdict] = []
        name = self._anchors.of(subject.subject)
        for verdict in sorted(subject.results, key=lambda v: self._catalogue.position(v.rule)):
            standing = standing_of(verdict, strict=self._strict)
            anchor = None
            if verdict.bad:
                anchor = self._anchors.of(f"{name}-{verdict.rule}")
                cards.append(self._card(anchor, subject, verdict, standing))
            elif standing is Standing.UNJUDGED:
                unjudged.append(verdict)
            cells[verdict.rule] = self._cell(anchor, subject, verdict, standing)
        cards.sort(key=lambda card: SEVERITY[card.standing])
        tally = Tally.of(subject.results, strict=self._strict)
        words = subject_in_words(subject, strict=self._strict)
        return Section(name, subject, tally, words, cells, cards, unjudged)

    def _cell(self, anchor: str | None, subject: SubjectReport, verdict: Verdict, standing: Standing) -> Cell:
        rule = self._catalogue.of(verdict)
        turn = self._turn(subject, verdict)
        state = verdict.outcome if verdict.outcome == standing else f"{verdict.outcome}, {standing}"
        hover = f"{subject.subject}, {verdict.rule}: {state}{f' ({turn})' if turn else ''}\n{rule.sentence}"
        return Cell(rule, subject.subject, standing, verdict.outcome, anchor, hover, turn)

    def _card(self, anchor: str, subject: SubjectReport, verdict: Verdict, standing: Standing) -> Card:
        witness = verdict.witness
        rule = self._catalogue.of(verdict)
        words = [
            subject.subject,
            verdict.rule,
            rule.sentence,
            rule.source,
            verdict.message,
            verdict.declared or "",
        ]
        if witness is not None:
            words += [witness.expected, witness.seen]
        return Card(
            anchor=anchor,
            subject=subject.subject,
            rule=rule,
            verdict=verdict,
            standing=standing,
            turn=self._turn(subject, verdict),
            script=self._highlight(witness.python) if witness is not None else None,
            program=_lines_of(witness.program) if witness is not None else "",
            timeline=draw_timeline(witness.history) if witness is not None else None,
            search=" ".join(" ".join(words).lower().split()),
        )

    def _turn(self, subject: SubjectReport, verdict: Verdict) -> str:
        return self._turns.get((subject.subject, verdict.rule), "")


def _lines_of(program: list[Any]) -> str:
    """A program as data, an action of the outermost level on each line."""
    actions = [
        json.dumps(action, ensure_ascii=False, separators=(",", ":"), default=repr) for action in program
    ]
    return "[\n" + ",\n".join(f" {action}" for action in actions) + "\n]" if actions else ""


class _Anchors:
    """Fragment ids: the text itself where it can be one, and never the same twice."""

    def __init__(self) -> None:
        # Ids that the template uses.
        self._taken = {
            *("subjects", "stale", "compared", "filters", "shown"),
            *("matrix", "broken", "unjudged", "environment"),
        }

    def of(self, text: str) -> str:
        wanted = re.sub(r"[^A-Za-z0-9@._:-]+", "_", text) or "_"
        anchor, number = wanted, 1
        while anchor in self._taken:
            number += 1
            anchor = f"{wanted}.{number}"
        self._taken.add(anchor)
        return anchor


def _highlighter(markup: Any) -> Any:
    """A function from Python source to safe markup; without pygments (it comes with rich), to plain text."""
    try:
        pygments = optional_import("pygments", "highlighting")
        lexer = optional_import("pygments.lexers.python", "highlighting").PythonLexer(stripnl=False)
        formatter = optional_import("pygments.formatters.html", "highlighting").HtmlFormatter(nowrap=True)
    except MuxloopError:
        return lambda python: python.strip("\n")
    return lambda python: markup(pygments.highlight(inert(python).strip("\n"), lexer, formatter))


def _duration(duration_s: float) -> str:
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes} min {seconds} s"
