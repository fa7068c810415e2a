"""Where a run stands, while it goes: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from ..verdict import Verdict, one_each
from .extras import optional_import
from .inert import inert_line
from .standing import Standing, counted, standing_of
from .terminal import is_terminal, width_of

if TYPE_CHECKING:
    from rich.text import Text

HEARTBEAT_S = 20.0  # many CI servers look askance at 30 s of silence
FIRST_BEAT_S = 5.0
"""Until the first verdict is there, a line comes sooner: nobody knows yet whether anything goes on."""


class Progress(ABC):
    """Told of each rule as it starts and finishes; any thread may tell, and several rules may run at once."""

    def __init__(self, stream: TextIO, total: int, per_subject: Mapping[str, int]) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._left = dict(per_subject)
        self._running: dict[tuple[str, str], None] = {}
        self._verdicts: dict[str, list[Verdict]] = {}
        self._lock = threading.RLock()
        self._started_at = time.monotonic()

    def start(self, subject: str, rule_id: str) -> None:
        """The judging of one rule on one subject begins."""
        with self._lock:
            self._running[subject, rule_id] = None
            self._show_state()

    def finish(self, subject: str, verdict: Verdict) -> None:
        """One rule has its verdict on one subject; ``start`` need not have been called."""
        with self._lock:
            self._running.pop((subject, verdict.rule), None)
            self._done += 1
            self._take(subject, verdict)
            if subject in self._left:
                self._left[subject] -= 1
                if self._left[subject] == 0:
                    self._show_subject(subject)

    def found(self, subject: str, verdict: Verdict) -> None:
        """A rule that looked on was found broken by programs of another; it may be judged itself as well."""
        with self._lock:
            self._take(subject, verdict)

    def _take(self, subject: str, verdict: Verdict) -> None:
        """Note a verdict; show one that is bad and goes before the former ones on its rule."""
        taken = self._verdicts.setdefault(subject, [])
        (chosen,) = one_each([*(former for former in taken if former.rule == verdict.rule), verdict])
        taken.append(verdict)
        self._show_state()
        if verdict.bad and chosen is verdict:
            self._show_bad(subject, verdict)

    def _counts(self) -> str:
        verdicts = [verdict for of_subject in self._verdicts.values() for verdict in one_each(of_subject)]
        held = sum(1 for verdict in verdicts if verdict.outcome == "held")
        return f"{held} held, {sum(1 for verdict in verdicts if verdict.bad)} broken"

    def _now_running(self) -> str:
        """The pair that has been running longest: the one to watch."""
        if not self._running:
            return ""
        (subject, rule_id), *others = self._running
        more = f" and {len(others)} more" if others else ""
        return inert_line(f"{subject} {rule_id}{more}")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started_at), 60)
        return f"{minutes}:{seconds:02}"

    @abstractmethod
    def _show_state(self) -> None: ...

    @abstractmethod
    def _show_bad(self, subject: str, verdict: Verdict) -> None: ...

    @abstractmethod
    def _show_subject(self, subject: str) -> None: ...

    @abstractmethod
    def _shown(self) -> contextlib.AbstractContextManager[None]:
        """The display, for as long as the run goes."""


@contextlib.contextmanager
def open_progress(
    console_stream: TextIO,
    total: int,
    *,
    per_subject: Mapping[str, int] | None = None,
    heartbeat_s: float = HEARTBEAT_S,
) -> Iterator[Progress]:
    """Show the progress of a run of ``total`` (subject, rule) pairs on ``console_stream``.

    ``per_subject`` tells how many pairs each subject has, so that a plain log can say when a subject is
    finished; a subject missing from it is told of at the end. In a plain log a line appears at the latest
    after ``heartbeat_s`` seconds of silence. Raises MuxloopError when a terminal is to be drawn on and
    rich is missing.
    """
    pairs = per_subject or {}
    progress: Progress
    if is_terminal(console_stream):
        progress = _LiveProgress(console_stream, total, pairs)
    else:
        progress = _PlainProgress(console_stream, total, pairs, heartbeat_s)
    with progress._shown():
        yield progress


class _PlainProgress(Progress):
    """Lines for a log file: no control codes, no line twice."""

    def __init__(
        self, stream: TextIO, total: int, per_subject: Mapping[str, int], heartbeat_s: float
    ) -> None:
        super().__init__(stream, total, per_subject)
        self._heartbeat_s = heartbeat_s
        self._told: set[str] = set()
        self._last_line_at = time.monotonic()
        self._over = threading.Event()

    def _show_state(self) -> None:
        pass

    def _show_bad(self, subject: str, verdict: Verdict) -> None:
        standing = standing_of(verdict)
        line = f"{subject}: {verdict.rule} (level {verdict.level}) {verdict.outcome}, {standing}"
        self._write(f"{line}: {verdict.message}" if verdict.message else line)

    def _show_subject(self, subject: str) -> None:
        self._told.add(subject)
        verdicts = one_each(self._verdicts[subject])
        judged = sum(1 for v in verdicts if v.bad or v.outcome == "held")
        held = sum(1 for v in verdicts if v.outcome == "held")
        apart = f", {len(verdicts) - judged} not judged" if judged < len(verdicts) else ""
        self._write(
            f"{subject}: finished, {held} of {counted(judged, 'rule')} held{apart} [{self._elapsed()}]"
        )

    @contextlib.contextmanager
    def _shown(self) -> Iterator[None]:
        pulse = threading.Thread(target=self._pulse, name="muxloop-progress", daemon=True)
        pulse.start()
        try:
            yield
        finally:
            self._over.set()
            pulse.join()
            with self._lock:
                for subject in self._verdicts:
                    if subject not in self._told:
                        self._show_subject(subject)

    def _pulse(self) -> None:
        due_in = min(self._heartbeat_s, FIRST_BEAT_S)
        while not self._over.wait(due_in):
            with self._lock:
                silent_for = time.monotonic() - self._last_line_at
                beat_s = self._heartbeat_s if self._done else min(self._heartbeat_s, FIRST_BEAT_S)
                # Before anything has started, a subject that cannot be built may still be the only news.
                waits = self._running or self._done or silent_for >= self._heartbeat_s
                if silent_for >= beat_s and waits:
                    at = self._now_running()
                    line = f"{self._done} of {self._total} judged ({self._counts()})"
                    self._write(f"{line}, {f'now {at}' if at else 'starting'} [{self._elapsed()}]")
                    silent_for = 0.0
                due_in = max(beat_s - silent_for, 0.01) if waits else beat_s

    def _write(self, line: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        text = inert_line(line).encode(encoding, "backslashreplace").decode(encoding)
        self._stream.write(text + "\n")
        self._stream.flush()
        self._last_line_at = time.monotonic()


class _LiveProgress(Progress):
    """A bar that redraws itself; bad verdicts scroll by above it."""

    def __init__(self, stream: TextIO, total: int, per_subject: Mapping[str, int]) -> None:
        super().__init__(stream, total, per_subject)
        rich_progress = optional_import("rich.progress", "the live progress display")
        rich_console = optional_import("rich.console", "the live progress display")
        self._text: type[Text] = optional_import("rich.text", "the live progress display").Text
        console = rich_console.Console(
            file=stream,
            force_terminal=True,
            width=width_of(stream),
            no_color=bool(os.environ.get("NO_COLOR")) or None,
            highlight=False,
            emoji=False,
            markup=False,
        )
        # The text comes from subjects: it must not be read as markup.
        self._bar = rich_progress.Progress(
            # rich draws unfinished bars in red, which would read as a verdict here.
            rich_progress.BarColumn(bar_width=24, complete_style="blue", finished_style="blue"),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TextColumn("{task.fields[counts]}", markup=False),
            rich_progress.TimeElapsedColumn(),
            rich_progress.TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("", total=total, counts=self._counts())

    def _show_state(self) -> None:
        self._bar.update(
            self._task, completed=self._done, counts=self._counts(), description=self._now_running()
        )

    def _show_bad(self, subject: str, verdict: Verdict) -> None:
        style = "red" if standing_of(verdict) is Standing.FAILS else "yellow"
        line = inert_line(f"{subject}: {verdict.rule} {verdict.outcome}")
        self._bar.console.print(self._text(line, style))

    def _show_subject(self, subject: str) -> None:
        pass  # the bar and the table that follows say it

    @contextlib.contextmanager
    def _shown(self) -> Iterator[None]:
        with self._bar:
            yield
