"""The race: one process per contestant, which the requests go round, so that noise hits all alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from typing import Any

from .benchmark import Answer, Benchmark, Measured, Request
from .contestants import Contestant

Progress = Callable[[str], None]


class ContestantFailedError(Exception):
    """A contestant's process could not answer; the text says why."""


class Runner:
    """A contestant in a process of its own, which answers requests."""

    def __init__(self, benchmark: Benchmark, contestant: str) -> None:
        self.contestant = contestant
        self.answers: list[list[Answer]] = [[] for _ in benchmark.requests()]
        job = {"benchmark": benchmark.name, "settings": asdict(benchmark), "contestant": contestant}
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.runner", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: Request) -> None:
        """Put a request; ContestantFailedError if the process has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise ContestantFailedError(self._end()) from None

    def await_answer(self) -> Answer:
        """Wait for the next answer; ContestantFailedError instead of one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ContestantFailedError(self._end())
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise ContestantFailedError(answer["failed"])
        return answer

    def note_answer(self, place: int) -> None:
        """Await the answer and keep it as one to the request at that place."""
        self.answers[place].append(self.await_answer())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it ended before it read the last request
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _end(self) -> str:
        return f"its process ended with code {self._process.wait()}"


def run(benchmark: Benchmark, progress: Progress) -> tuple[list[Measured], list[Contestant]]:
    """Everybody's answers, and those who fell out on the way with the reason."""
    requests = benchmark.requests()
    with ExitStack() as cleanup:
        running: list[Runner] = []
        failed: list[Contestant] = []
        for contestant in benchmark.contestants():
            if contestant.absent is None:
                progress(f"{benchmark.name}: setting up {contestant.name}")
                runner = Runner(benchmark, contestant.name)
                cleanup.callback(runner.close)
                running.append(runner)
                _keep_the_able(running, failed, runner, runner.await_answer)
        for number in range(benchmark.rounds):
            progress(f"{benchmark.name}: round {number + 1} of {benchmark.rounds}")
            # Who goes first changes, in case that going first matters.
            start = number % max(len(running), 1)
            running = running[start:] + running[:start]
            for place, request in enumerate(requests):
                _put(running, failed, place, request)
        measured = [
            Measured(runner.contestant, request, runner.answers[place])
            for place, request in enumerate(requests)
            for runner in _in_order(benchmark, running)
        ]
    return measured, failed


def _in_order(benchmark: Benchmark, running: list[Runner]) -> list[Runner]:
    names = [contestant.name for contestant in benchmark.contestants()]
    return sorted(running, key=lambda runner: names.index(runner.contestant))


def _put(running: list[Runner], failed: list[Contestant], place: int, request: Request) -> None:
    """One request to all: one after the other, or to all at the same time."""
    groups = [list(running)] if request.get("together") else [[runner] for runner in running]
    for group in groups:
        for runner in group:
            _keep_the_able(running, failed, runner, partial(runner.ask, request))
        for runner in group:
            if runner in running:
                _keep_the_able(running, failed, runner, partial(runner.note_answer, place))


def _keep_the_able(
    running: list[Runner], failed: list[Contestant], runner: Runner, step: Callable[[], object]
) -> None:
    try:
        step()
    except ContestantFailedError as error:
        running.remove(runner)
        failed.append(Contestant(runner.contestant, f"failed: {error}"))
