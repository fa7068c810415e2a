"""The report and the progress that people read in a terminal or a log."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
from muxloop.conformance.report import open_progress, print_report, write_html, write_markdown
from muxloop.conformance.verdict import Report, SubjectReport, Verdict
from muxloop.errors import MuxloopError
from test_report_samples import (
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

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def printed(report: Report, *, strict: bool = False) -> str:
    stream = io.StringIO()
    print_report(report, RULES, stream, strict=strict)
    return stream.getvalue()


@contextmanager
def terminal() -> Iterator[tuple[TextIO, list[str]]]:
    """A stream that is a terminal of 120 columns, and what was written to it once the block has ended."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    import fcntl
    import struct
    import termios

    controller, terminal_fd = pty.openpty()
    fcntl.ioctl(terminal_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen: list[bytes] = []

    def drain() -> None:
        while True:
            try:
                data = os.read(controller, 65536)
            except OSError:  # Linux answers EIO once the other side is closed
                return
            if not data:
                return
            seen.append(data)

    reader = threading.Thread(target=drain)
    reader.start()
    text: list[str] = []
    try:
        with open(terminal_fd, "w", encoding="utf-8") as stream:
            yield stream, text
    finally:
        reader.join()
        os.close(controller)
        text.append(b"".join(seen).decode())


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_the_table_tells_how_many_rules_held() -> None:
    lines = printed(full_report()).splitlines()
    heads = next(line for line in lines if line.split()[:2] == ["subject", "ORD"])
    muxloop = next(line for line in lines if line.split()[:1] == ["muxloop"])
    selector = next(line for line in lines if line.split()[:1] == ["selector:epoll"])
    assert muxloop[heads.index("ORD") :].startswith("3/3 held")
    assert selector[heads.index("ORD") :].startswith("\N{EN DASH}")


def test_a_version_that_nobody_knows_is_left_out() -> None:
    subjects = [
        SubjectReport("mine:loop", "unknown", None, [bad("mine:loop", "TMR-01")]),
        SubjectReport("mine:loop@poll", "unknown", "poll", [bad("mine:loop@poll", "TMR-01")]),
    ]
    lines = printed(sample_report(*subjects)).splitlines()
    assert "mine:loop" in lines
    assert "mine:loop@poll (on poll)" in lines


def test_what_was_not_judged_is_told_once_by_reason() -> None:
    lacking = [
        Verdict("IO-03", "R", "not-offered", "NotImplementedError: no readers"),
        Verdict("ORD-03", "P", "not-offered", "NotImplementedError: no readers"),
        Verdict("TMR-04", "own", "not-offered", "the subject does not claim fifo-deadlines"),
        Verdict("LIF-02", "R", "skipped", "this platform has no fork()"),
    ]
    text = printed(sample_report(*(SubjectReport(name, "1", None, lacking) for name in ("one", "two"))))
    told = " ".join(text.split())
    assert "Not judged on: one, two" in told
    assert (
        "why: 3 not offered: NotImplementedError: no readers (IO-03, ORD-03), "
        "the subject does not claim fifo-deadlines (TMR-04); "
        "1 skipped: this platform has no fork() (LIF-02)"
    ) in told
    assert "Not judged" not in printed(sample_report(SubjectReport("s", "1", None, all_held(skip_groups=()))))


def test_held_says_how_many_programs_stand_behind_it() -> None:
    held = [Verdict("ORD-01", "R", "held", examples=60), Verdict("TMR-01", "R", "held", examples=20)]
    report = sample_report(SubjectReport("s", "1", None, [*held, bad("s", "ORD-02", examples=9)]))
    told = " ".join(printed(report).split())
    assert "held: none of the 80 programs played for the rules that held broke one" in told


@pytest.mark.parametrize(("tolerance", "told"), [("1.99", ""), ("4.60", "4.6"), ("1.0; 3.25", "3.2")])
def test_a_wide_tolerance_is_told(tolerance: str, told: str) -> None:
    report = sample_report(environment={"tolerance": tolerance})
    last = printed(report).splitlines()[-1]
    assert ("upper bounds of time widened" in last) is bool(told)
    assert f"widened {told}" in last or not told


def test_a_failure_is_told_in_full() -> None:
    text = printed(sample_report(SubjectReport("uvloop", "0.23.0", None, [bad("uvloop", "TMR-01")])))
    for part in (
        "TMR-01 (level R) broken: fails",
        "A timer runs once, never before its deadline less one clock resolution.",
        "asyncio-eventloop docs",
        "callback a runs at 15.000 ms or later",
        "callback a ran at 14.710 ms, 0.290 ms early",
    ):
        assert part in text
    for line in PROGRAM.strip().splitlines():
        assert line.strip() in text


def test_the_command_stands_alone_on_one_line_however_long() -> None:
    command = reproduce("uvloop", "TMR-01") + " # " + "x" * 500
    verdict = bad("uvloop", "TMR-01", reproduce=command)
    text = printed(sample_report(SubjectReport("uvloop", "1", None, [verdict])))
    assert command in text.splitlines()


def test_a_log_has_no_escapes_and_fits_its_width() -> None:
    text = printed(full_report())
    assert "\x1b" not in text
    verdicts = [verdict for subject in full_report().subjects for verdict in subject.results]
    unwrapped = {verdict.reproduce for verdict in verdicts}
    for line in text.splitlines()[:-1]:
        assert len(line) <= 100 or line in unwrapped or HOSTILE in line
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_force_color_does_not_put_escapes_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in printed(full_report())


def test_hostile_text_cannot_drive_the_terminal() -> None:
    text = printed(full_report())
    assert "\\x1b[31mred" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_a_repeated_program_and_rule_are_told_once() -> None:
    subjects = [SubjectReport(name, "1", None, [bad(name, "TMR-01")]) for name in ("one", "two", "three")]
    text = printed(sample_report(*subjects))
    assert text.count("def main(new_loop)") == 1
    assert text.count("A timer runs once") == 1
    assert text.count("the same as under one, TMR-01") == 2
    assert all(reproduce(name, "TMR-01") in text for name in ("one", "two", "three"))


def test_long_programs_and_texts_are_shortened() -> None:
    long = witness(
        python="\n".join(f"step_{n}()" for n in range(200)), seen="\n".join(f"line {n}" for n in range(50))
    )
    text = printed(sample_report(SubjectReport("s", "1", None, [bad("s", "TMR-01", witness=long)])))
    assert "step_79()" in text
    assert "step_80()" not in text
    assert "20 lines more; --programs DIR writes all of it" in text
    assert "line 11" in text
    assert "line 12" not in text


def test_a_declared_deviation_is_short_unless_the_run_is_strict() -> None:
    verdict = bad("uvloop", "IO-03", declared="answers None since 0.1")
    report = sample_report(SubjectReport("uvloop", "1", None, [verdict]))
    relaxed, strict = printed(report), printed(report, strict=True)
    assert "answers None since 0.1" in relaxed
    assert "broken: declared" in relaxed
    assert "def main(new_loop)" not in relaxed
    assert "broken: fails" in strict
    assert "def main(new_loop)" in strict


def test_failures_come_before_deviations() -> None:
    verdicts = [bad("s", "ORD-02"), bad("s", "ORD-01", declared="known"), bad("s", "TMR-01")]
    text = printed(sample_report(SubjectReport("s", "1", None, verdicts)))
    assert re.findall(r"^([A-Z]+-\d+) \(level", text, re.MULTILINE) == ["TMR-01", "ORD-02", "ORD-01"]


CLOSINGS = {
    "all well": ([SubjectReport("muxloop", "1", None, all_held())], ["muxloop holds every rule."]),
    "one fails": (
        [
            SubjectReport(
                "uvloop", "1", None, all_held(but=[bad("uvloop", "TMR-01"), bad("uvloop", "ORD-02")])
            )
        ],
        ["uvloop fails.", "Fails: uvloop (1 rule).", "Deviates: uvloop (1 rule)."],
    ),
    "one deviates": (
        [SubjectReport("x", "1", None, all_held(but=[bad("x", "ORD-02"), bad("x", "IO-03", declared="y")]))],
        ["x deviates.", "Deviates: x (2 rules, 1 declared)."],
    ),
    "nobody": ([], ["No subject was judged."]),
    "nothing judged": (
        [SubjectReport("x", "1", None, [Verdict("ORD-01", "R", "skipped")])],
        ["x was not judged."],
    ),
}


@pytest.mark.parametrize(("subjects", "parts"), CLOSINGS.values(), ids=CLOSINGS)
def test_the_last_line_says_it_all(subjects: list[SubjectReport], parts: list[str]) -> None:
    last = printed(sample_report(*subjects)).splitlines()[-1]
    for part in [*parts, "Seed 20261122, profile default, 63.2 s."]:
        assert part in last
    if not any(verdict.bad for subject in subjects for verdict in subject.results):
        assert "Fails:" not in last
        assert "Deviates:" not in last


def test_a_part_of_a_run_says_which(tmp_path: Path) -> None:
    report = sample_report(SubjectReport("s", "1", None, all_held()), shard="2/5")
    for write in (write_html, write_markdown):
        write(report, RULES, tmp_path / "out")
        assert "· shard 2/5" in (tmp_path / "out").read_text("utf-8")
    assert "63.2 s, shard 2/5." in printed(report)


def test_stale_declarations_are_told() -> None:
    text = printed(sample_report(stale_declarations=["asyncio ORD-03 is declared and held"]))
    assert "asyncio ORD-03 is declared and held" in text
    assert "1 stale declaration." in text.splitlines()[-1]


def test_an_ascii_stream_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_report(full_report(), RULES, stream)
    text = raw.getvalue().decode("ascii")
    assert "\\xdf" in text  # of größer


def test_a_terminal_gets_colours_and_no_color_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal() as (stream, seen):
        print_report(full_report(), RULES, stream)
    assert re.search(r"\x1b\[1;31m", seen[0])
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal() as (stream, plain):
        print_report(full_report(), RULES, stream)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain[0])
    assert ANSI.sub("", plain[0]) == ANSI.sub("", seen[0])


@pytest.mark.parametrize("module", ["rich.console", "rich"])
def test_without_rich_the_error_names_the_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "rich.console", raising=False)
    if module == "rich.console":
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MuxloopError, match=r"pip install 'muxloop\[conformance\]'"):
        printed(sample_report())


# --- progress -----------------------------------------------------------------------------------------


class Signalling(io.StringIO):
    """A log that says when enough lines with a word have been written."""

    def __init__(self, word: str, lines: int) -> None:
        super().__init__()
        self._word, self._lines = word, lines
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.getvalue().count(self._word) >= self._lines:
            self.reached.set()
        return written


def test_a_plain_log_tells_bad_verdicts_as_they_come_and_subjects_as_they_finish() -> None:
    log = io.StringIO()
    with open_progress(log, 3, per_subject={"uvloop": 2, "rloop": 1}) as progress:
        progress.start("uvloop", "ORD-01")
        progress.finish("uvloop", Verdict("ORD-01", "R", "held"))
        assert log.getvalue() == ""
        progress.start("uvloop", "TMR-01")
        progress.finish("uvloop", bad("uvloop", "TMR-01", message="early"))
        bad_line, subject_line = log.getvalue().splitlines()
        assert bad_line == "uvloop: TMR-01 (level R) broken, fails: early"
        assert subject_line.startswith("uvloop: finished, 1 of 2 rules held")
        progress.start("rloop", "ORD-01")
        progress.finish("rloop", Verdict("ORD-01", "R", "not-offered"))
    assert log.getvalue().splitlines()[2].startswith("rloop: finished, 0 of 0 rules held, 1 not judged")
    assert len(log.getvalue().splitlines()) == 3


def test_a_subject_of_unknown_size_is_told_of_at_the_end_also_after_an_error() -> None:
    log = io.StringIO()

    def interrupted_run() -> None:
        with open_progress(log, 5) as progress:
            progress.finish("muxloop", Verdict("ORD-01", "R", "held"))
            assert log.getvalue() == ""
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_run()
    assert log.getvalue().startswith("muxloop: finished, 1 of 1 rule held")


def test_a_plain_log_is_never_silent_for_long() -> None:
    log = Signalling("of 7 judged", 2)
    with open_progress(log, 7, heartbeat_s=0.01) as progress:
        progress.finish("muxloop", Verdict("ORD-01", "R", "held"))
        progress.start("muxloop", "TMR-01")
        progress.start("muxloop", "TMR-02")
        assert log.reached.wait(60)
    assert "1 of 7 judged (1 held, 0 broken)" in log.getvalue()
    assert "now muxloop TMR-01 and 1 more" in log.getvalue()
    assert "muxloop-progress" not in {thread.name for thread in threading.enumerate()}


def test_the_first_line_of_a_log_comes_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muxloop.conformance.report.progress.FIRST_BEAT_S", 0.01)
    log = Signalling("of 7 judged", 1)
    with open_progress(log, 7, heartbeat_s=3600) as progress:
        progress.start("muxloop", "TMR-01")
        assert log.reached.wait(60)
    assert log.getvalue().startswith("0 of 7 judged (0 held, 0 broken), now muxloop TMR-01 [")


def test_verdicts_may_come_from_many_threads() -> None:
    log = io.StringIO()
    names = [f"subject{number}" for number in range(8)]
    with open_progress(log, 800, per_subject=dict.fromkeys(names, 100)) as progress:

        def judge(name: str) -> None:
            for number in range(100):
                progress.start(name, f"TMR-{number}")
                progress.finish(name, Verdict(f"TMR-{number}", "R", "broken"))

        threads = [threading.Thread(target=judge, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = log.getvalue().splitlines()
    assert sum(1 for line in lines if "broken, fails" in line) == 800
    assert sum(1 for line in lines if "finished, 0 of 100 rules held" in line) == 8


def test_what_an_onlooker_found_is_told_at_once_and_counted_once() -> None:
    log = Signalling("of 3 judged", 1)
    with open_progress(log, 3, per_subject={"uvloop": 3}, heartbeat_s=0.01) as progress:
        progress.start("uvloop", "DNS-01")
        progress.found("uvloop", Verdict("RES-02", "C", "broken", "a known one", declared="it is known"))
        progress.found("uvloop", Verdict("RES-02", "C", "broken", "a thread"))
        assert "uvloop: RES-02 (level C) broken, deviates: a thread" in log.getvalue()
        progress.finish("uvloop", Verdict("DNS-01", "R", "held"))
        assert log.reached.wait(60)
        progress.finish("uvloop", Verdict("RES-02", "C", "held"))
        progress.found("uvloop", Verdict("RES-02", "C", "broken", "another thread"))
        progress.finish("uvloop", Verdict("RES-03", "C", "held"))
    assert "another thread" not in log.getvalue()
    assert "1 of 3 judged (1 held, 1 broken)" in log.getvalue()
    assert "uvloop: finished, 2 of 3 rules held" in log.getvalue()


def test_a_bar_moves_for_the_rules_that_were_judged_alone() -> None:
    with terminal() as (stream, seen), open_progress(stream, 4) as progress:
        progress.found("uvloop", Verdict("RES-02", "C", "broken"))
        progress.finish("uvloop", Verdict("DNS-01", "R", "held"))
    text = ANSI.sub("", seen[0])
    assert "uvloop: RES-02 broken" in text
    assert "1/4" in text
    assert "2/4" not in text
    assert "1 held, 1 broken" in text


def test_a_plain_log_is_not_driven_by_hostile_text() -> None:
    log = io.StringIO()
    with open_progress(log, 1) as progress:
        progress.finish("\x1b[2J\n", bad("s", "TMR-01", message="two\nlines\x07"))
    assert log.getvalue().splitlines()[0] == r"\x1b[2J : TMR-01 (level R) broken, fails: two lines\x07"
    assert "\x1b" not in log.getvalue()


def test_a_terminal_shows_counts_and_what_runs() -> None:
    with terminal() as (stream, seen), open_progress(stream, 4) as progress:
        progress.start("uvloop", "ORD-01")
        progress.finish("uvloop", Verdict("ORD-01", "R", "held"))
        progress.start("uvloop", "TMR-01")
        progress.finish("uvloop", bad("uvloop", "TMR-01"))
        progress.start("[red]rloop", "TMR-02")
    text = ANSI.sub("", seen[0])
    assert "uvloop: TMR-01 broken" in text
    assert "2/4" in text
    assert "1 held, 1 broken" in text
    assert "[red]rloop TMR-02" in text


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal() as (stream, seen), open_progress(stream, 1) as progress:
        progress.finish("uvloop", bad("uvloop", "TMR-01"))
    assert "\x1b" not in seen[0]
    assert "uvloop: TMR-01 (level R) broken, fails" in seen[0]
