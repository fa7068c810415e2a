"""The HTML page, read by a parser: what it says, that it stands alone, that nothing gets out of its text."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from muxloop.conformance.report import write_html
from muxloop.conformance.verdict import Report, SubjectReport, Verdict
from muxloop.errors import MuxloopError
from test_report_samples import (
    HOSTILE,
    PROGRAM,
    RULES,
    all_held,
    bad,
    full_report,
    history_of,
    reproduce,
    sample_report,
    witness,
)

VOID = {"meta", "input", "br", "img", "link"}
SHAPES = {"line", "rect", "circle"}  # of SVG, closed in their own tag


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Elements below this one; ``class_`` asks for one class among several."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                wanted = not tag or child.tag == tag
                for name, value in attributes.items():
                    have = child.attributes.get(name.rstrip("_"))
                    wanted = wanted and (value in (have or "").split() if name == "class_" else have == value)
                found += [child] if wanted else []
                found += child.all(tag, **attributes)
        return found


class Builder(HTMLParser):
    """A tree, and a failure when a tag is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES
        self._open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def close(self) -> None:
        super().close()
        assert self._open == [self.root]


def page(report: Report, folder: Path, *, strict: bool = False) -> Element:
    write_html(report, RULES, folder / "out.html", strict=strict)
    builder = Builder()
    builder.feed((folder / "out.html").read_text("utf-8"))
    builder.close()
    return builder.root


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Element:
    return page(full_report(), tmp_path_factory.mktemp("html"))


def only(elements: list[Element]) -> Element:
    assert len(elements) == 1
    return elements[0]


def test_the_headline_is_the_verdict_in_words(full: Element) -> None:
    assert only(full.all("h1")).text == "3 of 6 subjects fail, 1 deviates, 2 hold every rule."


def test_every_subject_has_its_verdict_in_words(full: Element) -> None:
    words = [only(article.all("p", class_="words")).text for article in full.all("article", class_="subject")]
    assert words[0] == "Holds all 12 rules judged."
    assert words[2] == (
        "Breaks 2 required rules (TMR-01, LIF-02), deviates on 1 rule "
        "and shows 1 declared deviation; holds 8 of 12."
    )
    assert words[5] == "Holds the one rule judged."


def test_every_failure_has_a_card_with_its_anchor(full: Element) -> None:
    anchors = {card.attributes["id"] for card in full.all("article", class_="card")}
    bad_verdicts = [v for subject in full_report().subjects for v in subject.results if v.bad]
    assert len(anchors) == len(bad_verdicts)
    assert {"uvloop-TMR-01", "asyncio@select-TMR-04", "rloop-HEAP-01"} <= anchors


def test_the_matrix_has_a_square_per_verdict_and_links_to_the_cards(full: Element) -> None:
    table = only(full.all("table"))
    squares = table.all(class_="sq")
    assert len(squares) == sum(len(subject.results) for subject in full_report().subjects)
    links = {link.attributes["href"] for link in table.all("a")}
    assert links == {f"#{card.attributes['id']}" for card in full.all("article", class_="card")}
    for square in squares:
        assert square.attributes["title"]
        assert only(square.all(class_="hidden")).text  # colour is not the only sign


def test_no_id_is_used_twice_and_every_link_leads_somewhere(full: Element) -> None:
    ids = Counter(e.attributes["id"] for e in full.all() if "id" in e.attributes)
    assert set(ids.values()) == {1}
    targets = {link.attributes["href"] for link in full.all("a")}
    assert targets <= {f"#{name}" for name in ids}


def test_subjects_that_look_alike_keep_cards_apart(tmp_path: Path) -> None:
    subjects = [SubjectReport(n, "1", None, [bad(n, "TMR-01")]) for n in ("a b", "a/b", "matrix", "é", "時")]
    tree = page(sample_report(*subjects), tmp_path)
    ids = Counter(element.attributes["id"] for element in tree.all() if "id" in element.attributes)
    assert set(ids.values()) == {1}
    assert len(tree.all("article", class_="card")) == 5


def test_a_card_tells_all(full: Element) -> None:
    card = only(full.all(id="uvloop-TMR-01"))
    assert "A timer runs once" in only(card.all(class_="sentence")).text
    assert "137 programs played" in only(card.all(class_="source")).text
    assert [part.text for part in card.all("dd")] == [witness().expected, witness().seen]
    script, program, command = (part.text for part in card.all("pre"))
    assert script.strip() == PROGRAM.strip()
    assert json.loads(program) == witness().program
    assert command == reproduce("uvloop", "TMR-01")
    declared = only(full.all(id="uvloop-IO-03"))
    assert "remove_reader answers None" in only(declared.all(class_="reason")).text


def test_hostile_text_stays_text(full: Element) -> None:
    assert len(full.all("script")) == 1
    assert full.all("img") == []
    card = next(c for c in full.all("article", class_="card") if c.attributes["data-subject"] == HOSTILE)
    assert only(card.all("pre")[0].all("code")).text.startswith(HOSTILE)
    assert only(card.all(class_="message")).text.startswith(HOSTILE)
    for element in full.all():
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
        assert (element.attributes.get("href") or "#").startswith("#")


def test_control_characters_are_spelled_out(tmp_path: Path) -> None:
    write_html(full_report(), RULES, tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "\\x1b[31mred" in text


def test_only_the_script_of_the_page_may_run_and_nothing_is_fetched(full: Element, tmp_path: Path) -> None:
    policy = only([m for m in full.all("meta") if m.attributes.get("http-equiv")]).attributes["content"] or ""
    digest = hashlib.sha256(only(full.all("script")).text.encode()).digest()
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "default-src 'none'" in policy
    write_html(sample_report(), RULES, tmp_path / "out.html")
    assert not re.search(r"https?://|url\(|@import|src=", (tmp_path / "out.html").read_text("utf-8"))


def test_without_scripts_nothing_is_offered_that_needs_them(full: Element) -> None:
    assert "hidden" in only(full.all("form")).attributes
    for button in full.all("button", type="button"):
        assert "hidden" in button.attributes


@pytest.mark.parametrize("length", [1, 3, 150, 5000])
def test_a_history_is_drawn_with_a_row_per_event(length: int, tmp_path: Path) -> None:
    verdict = bad("s", "TMR-01", witness=witness(history=history_of(length)))
    tree = page(sample_report(SubjectReport("s", "1", None, [verdict])), tmp_path)
    drawing = only(tree.all("svg"))
    marks = drawing.all("g", class_="mark")
    assert len(marks) == min(length, 400)
    heights = [float(only(mark.all("circle")).attributes["cy"] or "") for mark in marks]
    assert all(after - before >= 22 for before, after in itertools.pairwise(heights))
    assert heights[-1] < float(drawing.attributes["height"] or "")
    assert all(only(mark.all("title")).text for mark in marks)
    if length > 400:
        assert f"{length - 400} more events" in drawing.text
    lanes = {event["lane"] for event in history_of(length)}
    assert {lane.text for lane in only(tree.all("p", class_="lanes")).all("span")} == {
        *lanes,
        "times in milliseconds",
    }


def test_what_happens_again_and_again_is_drawn_once(tmp_path: Path) -> None:
    spinning = [{"at_ms": n / 10, "lane": "loop", "event": "handled", "label": "c0"} for n in range(300)]
    history = [*history_of(3), *spinning, *history_of(3)]
    verdict = bad("s", "TMR-01", witness=witness(history=history))
    tree = page(sample_report(SubjectReport("s", "1", None, [verdict])), tmp_path)
    drawing = only(tree.all("svg"))
    assert len(drawing.all("g", class_="mark")) == 3 + 2 + 3
    assert "298 more like it" in drawing.text
    assert "306 events" in only(tree.all("article", class_="card")).text


def test_a_history_with_gaps_in_its_data_is_still_drawn(tmp_path: Path) -> None:
    history = [{}, {"at_ms": None, "lane": 3}, {"at_ms": float("nan"), "event": "run", "label": "x" * 500}]
    verdict = bad("s", "TMR-01", witness=witness(history=history))
    tree = page(sample_report(SubjectReport("s", "1", None, [verdict])), tmp_path)
    assert len(tree.all("g", class_="mark")) == 3


def test_what_was_not_judged_is_listed_with_its_reason(full: Element) -> None:
    listed = [item.text for part in full.all("details", class_="plain") for item in part.all("li")]
    assert listed == ["EXC-03 not-offered: does not claim signal handling", f"TMR-09 skipped: {HOSTILE}"]


def test_environment_seed_and_stale_declarations_are_told(full: Element) -> None:
    facts = only(full.all("dl", class_="environment")).text
    assert "CPython 3.13.0" in facts
    assert "Seed 20261122" in only(full.all(class_="facts")).text
    assert "asyncio@select ORD-03 is declared and held" in only(full.all(id="stale")).text


def test_a_clean_run_says_that_nothing_broke(tmp_path: Path) -> None:
    tree = page(sample_report(SubjectReport("muxloop", "1", "epoll", all_held())), tmp_path)
    assert only(tree.all("h1")).text == "muxloop holds every rule."
    assert "Nothing broke" in only(tree.all(id="broken")).text
    assert tree.all("article", class_="card") == []


def test_an_empty_run_is_a_page_too(tmp_path: Path) -> None:
    assert only(page(sample_report(), tmp_path).all("h1")).text == "No subject was judged."


def test_strict_turns_deviations_into_failures(tmp_path: Path) -> None:
    verdicts = [bad("s", "ORD-02"), bad("s", "IO-03", declared="known")]
    report = sample_report(SubjectReport("s", "1", None, verdicts))
    relaxed, strict = page(report, tmp_path), page(report, tmp_path, strict=True)
    assert only(relaxed.all("h1")).text == "s deviates."
    assert only(strict.all("h1")).text == "s fails."
    assert len(strict.all("article", class_="fails")) == len(strict.all("article", class_="card")) + 1


def test_code_in_a_sentence_is_set_as_code(full: Element) -> None:
    row = next(r for r in full.all("tr") if (r.attributes.get("data-search") or "").startswith("ord-01"))
    sentence = only(row.all(class_="sentence"))
    assert sentence.text == "call_soon is FIFO, each callback exactly once."
    assert [code.text for code in sentence.all("code")] == ["call_soon"]


def test_without_pygments_the_program_is_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygments", None)
    verdict = bad("s", "TMR-01", witness=witness(python=HOSTILE))
    tree = page(sample_report(SubjectReport("s", "1", None, [verdict])), tmp_path)
    assert only(tree.all(id="s-TMR-01")).all("pre")[0].text == HOSTILE
    assert len(tree.all("script")) == 1


def test_without_jinja2_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MuxloopError, match=r"jinja2.*pip install 'muxloop\[conformance\]'"):
        write_html(sample_report(), RULES, tmp_path / "out.html")
    assert not (tmp_path / "out.html").exists()


def test_a_verdict_without_witness_still_has_a_card(tmp_path: Path) -> None:
    verdict = Verdict("TMR-01", "R", "crashed", message="killed by SIGKILL")
    card = only(page(sample_report(SubjectReport("s", "1", None, [verdict])), tmp_path).all(id="s-TMR-01"))
    assert "killed by SIGKILL" in card.text
    assert card.all("svg") == []
