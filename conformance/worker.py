"""The process that plays: reads programs from standard input, answers with events, one JSON line each.

It runs apart from the suite because a subject may hang, crash, exit or print: standard output is kept
for the answers alone, and whatever the subject prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO

from ..errors import MuxloopError


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    faulthandler.enable()
    for line in questions:
        _answer(json.loads(line), answers)


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
    kind = f"{type(made).__module__}.{type(made).__qualname__}"
    made.close()
    return {
        "type": kind,
        "version": subject.version,
        "backend": subject.chosen_backend(),
        "not_offered": dict(getattr(made, "not_offered", {})),
    }


def _play(question: dict[str, Any]) -> dict[str, Any]:
    from .player import play_on_loop, play_on_selector
    from .program import as_tuples

    subject = _subject(question)
    play = play_on_selector if subject.kind == "selector" else play_on_loop
    gc.collect()
    if hasattr(gc, "freeze") and not gc.get_freeze_count():
        gc.freeze()  # what is imported stays: collections inside a play only look at what the play made
    events = play(subject.build, as_tuples(question["program"]), question["tolerance"])
    return {"events": events, "resolution": time.get_clock_info("monotonic").resolution}


if __name__ == "__main__":
    main()
