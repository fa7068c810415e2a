"""The process that plays: reads programs from standard input, answers with events, one JSON line each.

It runs apart from the suite because a subject may hang, crash, exit or print: standard output is kept
for the answers alone, and whatever the subject prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import functools
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from ..errors import MuxloopError, SubjectError

_CLOCKS = {name: getattr(time, name) for name in ("monotonic", "perf_counter", "process_time")}


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    faulthandler.enable()
    _go_first_when_memory_runs_out()
    for line in questions:
        _answer(json.loads(line), answers)


def _go_first_when_memory_runs_out() -> None:
    """Where the machine has less than the playground allows, the kernel shall end this process; proc(5)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


@contextlib.contextmanager
def _forked_children_end_here() -> Iterator[None]:
    """A subject may fork and let the child come back: it must neither answer nor go on as a worker.

    Nor may it leave as usual: the interpreter would wait for faulthandler's thread, which no child inherits.
    """
    worker = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != worker:
            os._exit(0)


def _answer(question: dict[str, Any], answers: TextIO) -> None:
    if "sys_path" in question:
        sys.path[:] = question["sys_path"]
        return
    # Should the suite itself die, nobody is left to end a play that hangs.
    faulthandler.dump_traceback_later(question["abandoned_after_s"], exit=True)
    with _forked_children_end_here():
        try:
            answer = _describe(question) if question["ask"] == "describe" else _play(question)
        except MuxloopError as error:
            answer = {"error": str(error)}
    faulthandler.cancel_dump_traceback_later()
    answers.write(json.dumps(answer, default=repr, skipkeys=True) + "\n")  # a subject may return anything
    answers.flush()


def _subject(question: dict[str, Any]) -> Any:
    from .subjects import parse

    return parse(question["subject"])


def _describe(question: dict[str, Any]) -> dict[str, Any]:
    """Build the subject once, to know that it can be built and what comes out."""
    subject = _subject(question)
    made = subject.build()
    _check_clock(subject.spec)
    kind = f"{type(made).__module__}.{type(made).__qualname__}"
    made.close()
    another = subject.build()
    if another is made:
        raise SubjectError(
            f"{subject.spec}: its factory returned the same {subject.kind} twice; "
            "it must make a new one every time"
        )
    another.close()
    return {
        "type": kind,
        "version": subject.version,
        "backend": subject.chosen_backend(),
        "not_offered": dict(getattr(made, "not_offered", {})),
        "claims": sorted(getattr(made, "claims", ())),
        "built_on_asyncio": _is_built_on_asyncio(made, subject.target),
    }


def _is_built_on_asyncio(made: Any, target: str) -> bool:
    return isinstance(made, asyncio.BaseEventLoop) and target.partition(":")[0] != "asyncio"


def _check_clock(spec: str) -> None:
    """SubjectError when the subject replaced a clock: all would be measured by the clock of the accused."""
    for name, clock in _CLOCKS.items():
        if getattr(time, name) is not clock:
            raise SubjectError(
                f"{spec}: replaces time.{name}, by which it is judged; "
                "give a factory that leaves the clocks alone"
            )


def _play(question: dict[str, Any]) -> dict[str, Any]:
    from .player import play_on_loop, play_on_selector
    from .program import as_tuples
    from .vocabulary.leaving import LEAVE

    subject = _subject(question)
    subject.factory()  # what its import does to this process is done before the play
    play = play_on_selector if subject.kind == "selector" else play_on_loop
    gc.collect()  # nobody shall be blamed for what an earlier play left to the collector
    _leave_imports_uncollected()
    program = as_tuples(question["program"])
    events = play(subject.build, program, question["tolerance"])
    # A subject may change its process for good when it is built: a new process for every play would be in
    # vain, and is worth its time only where the changes are what is looked for.
    polluted = LEAVE in program and any(event[2] == "left" and event[4]["changed"] for event in events)
    return {"events": events, "polluted": polluted, "resolution": time.get_clock_info("monotonic").resolution}


@functools.cache
def _leave_imports_uncollected() -> None:
    """What is imported stays: collections inside a play shall only look at what the play made."""
    if hasattr(gc, "freeze"):  # PyPy has none
        gc.freeze()


if __name__ == "__main__":
    main()
