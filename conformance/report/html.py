"""The run as one self-contained page for people: no network, readable without JavaScript.

Every string in it may come from a loop under test. The template escapes all of them, scripts read text
content only, and a content security policy lets no script run but the page's own, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ...errors import MuxloopError
from ..verdict import Report, SubjectReport, Verdict
from .catalogue import GROUP_TITLES, LEVELS, Catalogue, Rule
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


@dataclass(frozen=True)
class Card:
    """All there is to say of one broken rule on one subject."""

    anchor: str
    subject: str
    rule: Rule
    verdict: Verdict
    standing: Standing
    program: Any
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


def write_html(report: Report, rules: Iterable[Rule], path: AnyPath, *, strict: bool = False) -> None:
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
    highlight = _highlighter(optional_import("markupsafe", "the HTML report").Markup)
    anchors = _Anchors()
    sections = [_section(subject, catalogue, strict, highlight, anchors) for subject in report.subjects]
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
        counted=counted,
        duration=_duration(report.duration_s),
        cards=sum(len(section.cards) for section in sections),
        script=optional_import("markupsafe", "the HTML report").Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    write_whole(path, page)


def _finalized(value: Any) -> Any:
    """What every expression of the template passes on its way out: control characters made visible."""
    return inert(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _template(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _section(
    subject: SubjectReport, catalogue: Catalogue, strict: bool, highlight: Any, anchors: _Anchors
) -> Section:
    cells: dict[str, Cell] = {}
    cards: list[Card] = []
    unjudged: list[Verdict] = []
    name = anchors.of(subject.subject)
    for verdict in sorted(subject.results, key=lambda v: catalogue.position(v.rule)):
        standing = standing_of(verdict, strict=strict)
        rule = catalogue.of(verdict)
        card = None
        if verdict.bad:
            anchor = anchors.of(f"{name}-{verdict.rule}")
            card = _card(anchor, subject, rule, verdict, standing, highlight)
            cards.append(card)
        elif standing is Standing.UNJUDGED:
            unjudged.append(verdict)
        state = verdict.outcome if verdict.outcome == standing else f"{verdict.outcome}, {standing}"
        hover = f"{subject.subject}, {verdict.rule}: {state}\n{rule.sentence}"
        cells[verdict.rule] = Cell(
            rule, subject.subject, standing, verdict.outcome, card.anchor if card else None, hover
        )
    cards.sort(key=lambda card: SEVERITY[card.standing])
    tally = Tally.of(subject.results, strict=strict)
    return Section(name, subject, tally, subject_in_words(subject, strict=strict), cells, cards, unjudged)


def _card(
    anchor: str, subject: SubjectReport, rule: Rule, verdict: Verdict, standing: Standing, highlight: Any
) -> Card:
    witness = verdict.witness
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
        program=highlight(witness.python) if witness is not None else None,
        timeline=draw_timeline(witness.history) if witness is not None else None,
        search=" ".join(" ".join(words).lower().split()),
    )


class _Anchors:
    """Fragment ids: the text itself where it can be one, and never the same twice."""

    def __init__(self) -> None:
        # Ids that the template uses.
        self._taken = {"subjects", "matrix", "broken", "filters", "shown", "environment", "stale", "unjudged"}

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
