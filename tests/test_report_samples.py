"""A run made up by hand for the tests of every report: all outcomes, hostile text, histories of all sizes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from muxloop.conformance.verdict import BAD_OUTCOMES, OUTCOMES, Report, SubjectReport, Verdict, Witness

HOSTILE = (
    "</script><script>alert('x')</script><img src=x onerror=alert(1)> & \"quoted\" ]]> {{ 7 * 7 }} {% raw %}"
)
ESCAPES = "\x1b[31mred\x1b[0m\x07\x00\x9b2J \u202eevil"
UNICODE = "größer als 15 ms, früh; 時計 ⏱"


@dataclass(frozen=True)
class SampleRule:
    """A rule as any catalogue may hand it over."""

    id: str
    level: str
    sentence: str
    source: str
    group: str


def _rules() -> list[SampleRule]:
    texts = {
        "ORD-01": (
            "R",
            "`call_soon` is FIFO, each callback exactly once.",
            "asyncio-eventloop docs; test_events",
        ),
        "ORD-02": (
            "C",
            "A callback scheduled by a callback runs in a later iteration.",
            "base_events _run_once",
        ),
        "ORD-03": ("P", "Callbacks never re-enter each other.", "PEP 3156"),
        "TMR-01": (
            "R",
            "A timer runs once, never before its deadline less one clock resolution.",
            "asyncio-eventloop docs",
        ),
        "TMR-04": (
            "own",
            "Equal deadlines fire in the order they were armed.",
            "muxloop's own order of timers",
        ),
        "TMR-09": (
            "C",
            "NaN, infinite and huge delays are refused or inert, never a crash later.",
            "measured",
        ),
        "HEAP-01": ("C", "Arming and cancelling far timers keeps memory bounded.", "bpo-22448"),
        "CAN-01": ("R", "A handle cancelled before it runs never runs.", "asyncio-eventloop docs"),
        "IO-03": (
            "R",
            "remove_reader and remove_writer say whether something was removed.",
            "asyncio-eventloop docs",
        ),
        "THR-01": ("R", "call_soon_threadsafe wakes a blocked loop promptly.", "asyncio-eventloop docs"),
        "LIF-02": (
            "R",
            "stop() lets this batch finish; what it schedules waits for the next run.",
            "asyncio-eventloop docs",
        ),
        "EXC-03": ("C", "KeyboardInterrupt and SystemExit leave the loop at once.", "test_base_events"),
        "SEL-04": ("R", "A timeout that is not positive does not block.", "selectors docs, PEP 475"),
    }
    return [
        SampleRule(i, level, text, source, i.partition("-")[0]) for i, (level, text, source) in texts.items()
    ]


RULES = _rules()


def history_of(length: int) -> list[dict[str, Any]]:
    """``length`` events of a loop and two threads, with a pause now and then."""
    dice = random.Random(length)
    at_ms = 0.0
    events = []
    for number in range(length):
        at_ms += dice.choice([0.004, 0.012, 0.03, 0.2, 12.5])
        lane = dice.choice(["loop", "loop", "loop", "main", "Thread-1 (feeder)", "Thread-2 (feeder)"])
        events.append(
            {
                "at_ms": at_ms,
                "lane": lane,
                "event": dice.choice(["call_soon", "call_later", "run", "cancel", "stop", "ready"]),
                "label": f"callback {number}",
                "detail": dice.choice(
                    ["", "deadline 0.0150", "scheduled by callback 3, in the batch before"]
                ),
            }
        )
    return events


PROGRAM = '''import asyncio

def main(new_loop):
    """Arm one timer and note when it runs."""
    loop = new_loop()
    try:
        armed = loop.time()
        loop.call_later(0.015, lambda: print(loop.time() - armed))  # early?
        loop.call_later(0.02, loop.stop)
        loop.run_forever()
    finally:
        loop.close()
'''


def witness(**changes: Any) -> Witness:
    parts: dict[str, Any] = {
        "program": [["call_later", 0.015, "a"], ["call_later", 0.02, "stop"]],
        "python": PROGRAM,
        "expected": "callback a runs at 15.000 ms or later (clock resolution 0.000001 ms)",
        "seen": "callback a ran at 14.710 ms, 0.290 ms early",
        "history": history_of(5),
    }
    return Witness(**{**parts, **changes})


def reproduce(subject: str, rule_id: str) -> str:
    program = (
        '[["call_later", 0.015, "a"], ["call_later", 0.02, "stop"], ["call_soon", "b"], ["call_soon", "c"]]'
    )
    return f"muxloop conform {subject} --rules {rule_id} --seed 7 --program '{program}'"


def bad(subject: str, rule_id: str, outcome: str = "broken", **changes: Any) -> Verdict:
    level = next(rule.level for rule in RULES if rule.id == rule_id)
    parts: dict[str, Any] = {
        "rule": rule_id,
        "level": level,
        "outcome": outcome,
        "witness": witness(),
        "reproduce": reproduce(subject, rule_id),
        "duration_s": 1.25,
        "examples": 137,
    }
    return Verdict(**{**parts, **changes})


def all_held(*, but: list[Verdict] | None = None, skip_groups: tuple[str, ...] = ("SEL",)) -> list[Verdict]:
    """A verdict on every rule: held, but for those given."""
    special = {verdict.rule: verdict for verdict in but or []}
    judged = [rule for rule in RULES if rule.group not in skip_groups or rule.id in special]
    return [special.get(r.id) or Verdict(r.id, r.level, "held", duration_s=0.4, examples=100) for r in judged]


def sample_report(*subjects: SubjectReport, **changes: Any) -> Report:
    parts: dict[str, Any] = {
        "rules_version": "1",
        "seed": 20261122,
        "profile": "default",
        "environment": {
            "python": "CPython 3.13.0",
            "platform": "Linux-6.8.0-x86_64-with-glibc2.36",
            "kernel": "6.8.0",
            "muxloop": "0.1.0",
            "hypothesis": "6.140.0",
        },
        "subjects": list(subjects),
        "duration_s": 63.24,
    }
    return Report(**{**parts, **changes})


def full_report() -> Report:
    """Six subjects that show every outcome between them."""
    uvloop = [
        bad("uvloop", "TMR-01"),
        bad(
            "uvloop",
            "LIF-02",
            witness=witness(history=history_of(150), seen="b ran before run_forever returned"),
        ),
        bad("uvloop", "ORD-02", witness=witness(seen=UNICODE)),
        bad("uvloop", "IO-03", declared="remove_reader answers None since 0.1 (uvloop 742)"),
    ]
    rloop = [
        bad("rloop", "TMR-01"),
        bad(
            "rloop",
            "HEAP-01",
            "hung",
            message="no answer within 20 s",
            witness=witness(stderr="Thread 0x7f (most recent call first):\n  File x.py, line 3 in wait\n"),
        ),
        bad(
            "rloop", "THR-01", "crashed", message="killed by SIGSEGV", witness=witness(history=history_of(3))
        ),
        Verdict("EXC-03", "C", "not-offered", message="does not claim signal handling"),
    ]
    hostile = [
        bad(
            HOSTILE,
            "ORD-01",
            message=HOSTILE + ESCAPES,
            declared=None,
            witness=witness(
                python=HOSTILE + ESCAPES,
                expected=HOSTILE,
                seen=ESCAPES + HOSTILE,
                stderr=HOSTILE,
                history=[
                    {"at_ms": 0.5, "lane": HOSTILE, "event": HOSTILE, "label": HOSTILE, "detail": HOSTILE}
                ],
            ),
        ),
        Verdict("TMR-09", "C", "skipped", message=HOSTILE),
    ]
    return sample_report(
        SubjectReport("muxloop", "0.1.0", "epoll", all_held()),
        SubjectReport("asyncio@select", "3.13.0", "select", all_held(but=[bad("asyncio@select", "TMR-04")])),
        SubjectReport("uvloop", "0.23.0", None, all_held(but=uvloop)),
        SubjectReport("rloop", "0.5.0", None, all_held(but=rloop)),
        SubjectReport(HOSTILE, ESCAPES, HOSTILE, all_held(but=hostile)),
        SubjectReport("selector:epoll", "0.1.0", "epoll", [Verdict("SEL-04", "R", "held", examples=200)]),
        stale_declarations=["asyncio@select ORD-03 is declared and held in 200 programs", HOSTILE],
    )


def test_the_sample_shows_every_outcome_and_every_level() -> None:
    verdicts = [verdict for subject in full_report().subjects for verdict in subject.results]
    assert {verdict.outcome for verdict in verdicts} == set(OUTCOMES)
    assert {verdict.level for verdict in verdicts if verdict.outcome in BAD_OUTCOMES} >= {"R", "C", "own"}
    assert any(verdict.declared is not None for verdict in verdicts)
