"""Reports written to files: JSON, JUnit and where they may go."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from muxloop.conformance.report import check_writable, write_html, write_json, write_junit, write_markdown
from muxloop.conformance.verdict import Report, SubjectReport, Verdict
from muxloop.errors import UsageError
from test_report_samples import ESCAPES, HOSTILE, RULES, all_held, bad, full_report, sample_report, witness
from wine import ON_WINE

WRITERS: dict[str, Callable[[Report, Path], None]] = {
    "json": write_json,
    "junit": lambda report, path: write_junit(report, RULES, path),
    "html": lambda report, path: write_html(report, RULES, path),
    "markdown": lambda report, path: write_markdown(report, RULES, path),
}


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Callable[[Report, Path], None]:
    return WRITERS[request.param]


def leftovers(folder: Path, *, but: str) -> list[str]:
    return [name for name in os.listdir(folder) if name != but]


def test_json_reads_back_as_the_same_report(tmp_path: Path) -> None:
    write_json(full_report(), tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert Report.from_json(document) == full_report()


def test_json_has_the_documented_shape(tmp_path: Path) -> None:
    write_json(full_report(), tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert document["schema"] == 1
    assert {"rules_version", "rule_versions", "seed", "environment", "subjects"} <= document.keys()
    for subject in document["subjects"]:
        assert {"subject", "version", "backend", "results"} <= subject.keys()
        for result in subject["results"]:
            assert result.keys() >= {
                "rule", "level", "outcome", "declared", "message", "witness", "reproduce", "duration_s"
            }  # fmt: skip


def test_json_stays_strict_when_a_program_holds_no_number(tmp_path: Path) -> None:
    verdict = bad("uvloop", "TMR-09", witness=witness(program=[["call_later", float("nan"), float("-inf")]]))
    write_json(sample_report(SubjectReport("uvloop", "1", None, [verdict])), tmp_path / "out.json")

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    document = json.loads((tmp_path / "out.json").read_text("utf-8"), parse_constant=refuse)
    program = document["subjects"][0]["results"][0]["witness"]["program"]
    assert program == [["call_later", "nan", "-inf"]]


def test_a_lone_surrogate_does_not_stop_a_report(
    tmp_path: Path, write: Callable[[Report, Path], None]
) -> None:
    report = sample_report(SubjectReport("x", "1", None, [bad("x", "TMR-01", message="file \udcff")]))
    write(report, tmp_path / "out")
    assert "udcff" in (tmp_path / "out").read_text("utf-8")


# --- JUnit --------------------------------------------------------------------------------------------


def junit(report: Report, folder: Path, *, strict: bool = False) -> ET.Element:
    write_junit(report, RULES, folder / "out.xml", strict=strict)
    return ET.parse(folder / "out.xml").getroot()


def kind_of(root: ET.Element, rule_id: str) -> str:
    case = next(case for case in root.iter("testcase") if case.get("name") == rule_id)
    kinds = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
    assert len(kinds) <= 1
    return kinds[0] if kinds else "passed"


CASES = [
    # what it is, the verdict, its kind, its kind in a strict run
    ("held", Verdict("TMR-01", "R", "held"), "passed", "passed"),
    ("broken R", bad("s", "TMR-01"), "failure", "failure"),
    ("hung R", bad("s", "TMR-01", "hung"), "error", "error"),
    ("crashed R", bad("s", "TMR-01", "crashed"), "error", "error"),
    ("declared R", bad("s", "TMR-01", declared="known"), "skipped", "failure"),
    ("declared with an empty reason", bad("s", "TMR-01", declared=""), "skipped", "failure"),
    ("broken C", bad("s", "ORD-02"), "skipped", "failure"),
    ("broken P", bad("s", "ORD-03"), "skipped", "failure"),
    ("broken own", bad("s", "TMR-04"), "skipped", "failure"),
    ("hung C", bad("s", "ORD-02", "hung"), "skipped", "error"),
    ("not offered", Verdict("TMR-01", "R", "not-offered", message="no timers"), "skipped", "skipped"),
    ("skipped", Verdict("TMR-01", "R", "skipped", message="no time"), "skipped", "skipped"),
]


@pytest.mark.parametrize(
    ("verdict", "kind", "strict_kind"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_junit_maps_each_verdict(verdict: Verdict, kind: str, strict_kind: str, tmp_path: Path) -> None:
    report = sample_report(SubjectReport("s", "1", None, [verdict]))
    assert kind_of(junit(report, tmp_path), verdict.rule) == kind
    assert kind_of(junit(report, tmp_path, strict=True), verdict.rule) == strict_kind


def test_junit_counts_add_up_and_the_shape_is_junit_10(tmp_path: Path) -> None:
    root = junit(full_report(), tmp_path)
    assert root.tag == "testsuites"
    suites = list(root)
    assert [suite.get("name") for suite in suites] == [s.subject for s in full_report().subjects]
    for suite in suites:
        order = [child.tag for child in suite]
        assert order == ["properties", *["testcase"] * (len(order) - 1)]
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        for plural, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
            assert int(suite.attrib[plural]) == len(suite.findall(f"testcase/{tag}"))
        for case in suite.iter("testcase"):
            assert case.attrib.keys() == {"name", "classname", "time"}
            assert {child.tag for child in case} <= {"failure", "error", "skipped", "system-err"}
    for total in ("tests", "failures", "errors"):
        assert int(root.attrib[total]) == sum(int(suite.attrib[total]) for suite in suites)


def test_junit_failure_tells_what_to_do(tmp_path: Path) -> None:
    verdict = bad("uvloop", "TMR-01")
    failure = junit(sample_report(SubjectReport("uvloop", "1", None, [verdict])), tmp_path).find(".//failure")
    assert failure is not None
    assert failure.get("message") == (
        "TMR-01 (R) broken: A timer runs once, never before its deadline less one clock resolution."
    )
    for part in ("asyncio-eventloop docs", "0.290 ms early", "loop.call_later(0.015", verdict.reproduce):
        assert part in (failure.text or "")


def test_junit_keeps_hostile_text_apart_from_markup(tmp_path: Path) -> None:
    verdict = bad("s", "TMR-01", message=HOSTILE + ESCAPES)
    text = junit(sample_report(SubjectReport(HOSTILE, "1", None, [verdict])), tmp_path).findtext(".//failure")
    assert text is not None
    assert HOSTILE in text
    assert "\\x1b[31m" in text


# --- destinations ---------------------------------------------------------------------------------------


@pytest.mark.skipif(
    sys.platform == "win32", reason="modes are POSIX's, and links need a privilege on Windows"
)
def test_a_rewritten_report_keeps_mode_and_link(
    tmp_path: Path, write: Callable[[Report, Path], None]
) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write(sample_report(), link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text("utf-8") != "old"


def test_a_new_report_has_the_mode_of_any_new_file(
    tmp_path: Path, write: Callable[[Report, Path], None]
) -> None:
    (tmp_path / "plain").touch()
    write(sample_report(), tmp_path / "report")
    assert (tmp_path / "report").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failed_write_leaves_the_old_report_and_no_draft(
    tmp_path: Path, write: Callable[[Report, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device") as caught:
        write(full_report(), path)
    assert repr(str(path)) in str(caught.value)
    assert path.read_text() == "old"
    assert leftovers(tmp_path, but="report") == []


BAD_PATHS = {
    "no folder": ("missing/out.json", "no folder"),
    "a folder": (".", "is a folder"),
    "a file for a folder": ("file/out.json", "Not a directory|no folder"),
    "a long name": ("x" * 300, "too long|Invalid argument|No such file"),
    "a null": ("a\0b", "null"),
}


if ON_WINE:
    del BAD_PATHS["a long name"]  # it can be opened there


@pytest.mark.parametrize(("name", "reason"), BAD_PATHS.values(), ids=BAD_PATHS)
def test_a_path_that_cannot_be_written_is_one_line(
    name: str, reason: str, tmp_path: Path, write: Callable[[Report, Path], None]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    for attempt in (lambda: check_writable(path), lambda: write(sample_report(), path)):
        with pytest.raises(UsageError, match=reason) as caught:
            attempt()
        assert repr(str(path)) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_empty_path_is_one_line() -> None:
    with pytest.raises(UsageError, match="the path is empty"):
        check_writable("")
    with pytest.raises(UsageError, match="the path is empty"):
        write_json(sample_report(), "")


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("kept")
    check_writable(tmp_path / "new")
    check_writable(old)
    assert old.read_text() == "kept"
    assert leftovers(tmp_path, but="old") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_written_and_stays_one(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_writable(fifo)
        write_json(sample_report(), fifo)
        assert json.loads(os.read(reader, 65536))["schema"] == 1
        assert stat.S_ISFIFO(fifo.stat().st_mode)
    finally:
        os.close(reader)


def test_a_report_on_rules_that_are_gone_can_still_be_told(
    tmp_path: Path, write: Callable[[Report, Path], None]
) -> None:
    verdicts = [*all_held(), Verdict("OLD-77", "R", "broken")]
    write(sample_report(SubjectReport("s", "1", None, verdicts)), tmp_path / "out")
    assert "OLD-77" in (tmp_path / "out").read_text("utf-8")
