"""The HTML page in a browser, at two widths: it fits, it filters, and it fetches nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from muxloop.conformance.report import compare, write_html
from muxloop.conformance.verdict import Report, SubjectReport
from test_report_samples import HOSTILE, RULES, bad, full_report, history_of, witness

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, which has no wheel here")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"desk": 1280, "phone": 400}


def _long_report() -> Report:
    """Ten subjects with long names, long lines and long histories: what could make a page too wide."""
    report = full_report()
    long = witness(
        python=f"print({'x' * 300!r})\n" * 3,
        expected="w" * 400,
        seen="no_space_to_break_at_" * 30,
        history=[*history_of(60), {"at_ms": 9e9, "lane": "peer 1", "event": "e" * 90, "label": "l" * 500}],
        stderr="/a/very/long/path" * 40,
    )
    name = "my_company.event_loops.experimental:new_event_loop_with_a_long_name"
    many = [
        SubjectReport(
            f"{name}{number}", "2026.11.22+local." + "0" * 40, "select", [bad("x", "TMR-01", witness=long)]
        )
        for number in range(2)
    ]
    return replace(report, subjects=[*report.subjects, *many])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    # As root, which containers are, Chromium does not start in its own sandbox.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    report = _long_report()
    mended = [v for v in report.subjects[2].results if v.rule != "LIF-02"]
    earlier = replace(report, subjects=[replace(report.subjects[2], results=mended)])
    write_html(report, RULES, path, comparison=compare(earlier, report, named="then.json"))
    return path


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, browser: Any, report_file: Path) -> Iterator[Any]:
    """The report, opened; whatever the browser complains of, or asks the world for, fails the test."""
    context = browser.new_context(viewport={"width": WIDTHS[request.param], "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if asked.url != address else None)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    address = report_file.as_uri()
    page.goto(address)
    yield page
    context.close()
    assert complaints == []


def shown(page: Any, selector: str) -> list[str]:
    """The texts of what can be seen of the elements that fit."""
    return [e.inner_text() for e in page.query_selector_all(selector) if e.is_visible()]


def fits(page: Any) -> bool:
    wide: int = page.evaluate("document.documentElement.scrollWidth")
    return wide <= page.viewport_size["width"]


def test_nothing_is_wider_than_the_window(page: Any) -> None:
    assert fits(page)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    for selector in ("body", ".card .source", ".card .standing", "h1", ".code code", "a.sq.fails", "button"):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector


CONTRAST = """(selector) => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(selector);
  let behind = element;
  while (behind.parentElement && numbers(getComputedStyle(behind).backgroundColor)[3] === 0)
    behind = behind.parentElement;
  const text = light(numbers(getComputedStyle(element).color).slice(0, 3));
  const back = light(numbers(getComputedStyle(behind).backgroundColor).slice(0, 3));
  return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
}"""


def test_a_subject_can_be_chosen(page: Any) -> None:
    page.select_option("select[name=subject]", "rloop")
    assert len(shown(page, ".card")) == 3
    assert shown(page, "thead th") == ["Rule", "rloop"]
    assert "Showing 13 of 13 rules" not in page.inner_text("#shown")


def test_a_group_can_be_chosen(page: Any) -> None:
    page.select_option("select[name=group]", "TMR")
    assert [text.split()[0] for text in shown(page, "tr[data-search]")] == ["TMR-01", "TMR-04", "TMR-09"]
    assert {text.split()[0] for text in shown(page, ".card h3 .rule")} == {"TMR-01", "TMR-04"}


def test_an_outcome_and_a_level_can_be_chosen(page: Any) -> None:
    page.select_option("select[name=outcome]", "hung")
    assert [text.split()[0] for text in shown(page, "tr[data-search]")] == ["HEAP-01"]
    page.select_option("select[name=level]", "R")
    assert shown(page, "tr[data-search]") == shown(page, ".card") == []
    assert page.inner_text("#shown").startswith("Showing 0 of 13 rules and 0 of ")


def test_what_has_changed_can_be_chosen(page: Any) -> None:
    page.select_option("select[name=outcome]", "changed")
    assert shown(page, ".card h3 .rule") == ["LIF-02"]
    (change,) = shown(page, ".changes li")
    assert "uvloop LIF-02" in change
    assert "then not judged; now broken, fails" in change


def test_words_narrow_and_clearing_widens_again(page: Any) -> None:
    everything = len(shown(page, "tr[data-search]"))
    page.fill("input[name=text]", "DEADLINE before")
    assert [text.split()[0] for text in shown(page, "tr[data-search]")] == ["TMR-01"]
    page.click("button[type=reset]")
    # wait_for_function, when it has to wait, evaluates text, which the policy of the page forbids.
    sync_api.expect(page.locator("#shown")).to_have_text("")
    assert len(shown(page, "tr[data-search]")) == everything


def test_hostile_words_are_words(page: Any) -> None:
    page.select_option("select[name=subject]", HOSTILE)
    page.fill("input[name=text]", "<script>alert")
    assert len(shown(page, ".card")) == 1
    assert fits(page)


def test_a_square_leads_to_its_card_by_keyboard(page: Any) -> None:
    page.select_option("select[name=outcome]", "crashed")
    page.focus("button[type=reset]")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a.sq')"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#rloop-THR-01"
    card = page.query_selector("#rloop-THR-01").bounding_box()
    assert 0 <= card["y"] < page.viewport_size["height"]


def test_a_link_leads_to_a_card_that_the_filters_hide(page: Any) -> None:
    page.select_option("select[name=subject]", "rloop")
    page.evaluate("location.hash = '#uvloop-TMR-01'")
    page.wait_for_selector("#uvloop-TMR-01", state="visible")
    assert page.input_value("select[name=subject]") == ""


def test_a_history_is_drawn_when_it_is_opened(page: Any) -> None:
    card = page.query_selector("#uvloop-LIF-02")
    part = next(d for d in card.query_selector_all("details") if "History" in d.inner_text())
    assert not part.query_selector("svg").is_visible()
    part.query_selector("summary").click()
    drawing = part.query_selector("svg")
    assert drawing.is_visible()
    assert len(drawing.query_selector_all(".mark")) == 150
    assert fits(page)


def test_without_scripts_it_can_still_be_read(browser: Any, report_file: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(report_file.as_uri())
        assert shown(page, "#filters") == []
        assert len(shown(page, ".card")) == len(page.query_selector_all(".card")) > 10
