"""What is known to fail in other people's tests, and whether a run agrees with it.

    [[miss]]
    kind = "private attribute"
    reason = "reads loop._selector"
    tests = ["tests/test_loop.py::test_selector"]

Misses are declared test by test. A failure that is not declared is a complaint, and so is a declared one that
passes, is skipped, or is not among the tests. ``sometimes = true`` allows the test to pass; ``run = false``
leaves it out, since it would hang or spoil what comes after it.

This file knows neither suites nor how they are run: outcomes go in, complaints come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ON_ASYNCIO_TOO = "fails on asyncio too"
ON_LIBEV_TOO = "fails on libev too"

KINDS = {
    "private attribute": "reads, sets or replaces what only CPython's loop has inside",
    "asserts CPython's text": "the class of the error is right, its words are not CPython's",
    "better than CPython": "asserts what the documentation, or a rule of ours, says otherwise",
    "asserts how it is done": "counts calls, or their order, that no documentation promises",
    "not offered": "asks for what muxloop's loop does not have",
    "another loop": "is about a loop that it names itself",
    "needs network": "reaches out of this machine",
    ON_LIBEV_TOO: "has nothing to do with muxloop; `ci/gevent_tests.sh --loop libev-cext` shows it",
    ON_ASYNCIO_TOO: "has nothing to do with muxloop; `--loop asyncio` shows it",
}
"""The kinds of misses, and what each means."""

_WITHOUT_OUR_LOOP = {ON_ASYNCIO_TOO, ON_LIBEV_TOO, "needs network"}
"""The kinds of misses that the same suite has on CPython's loop, or gevent's."""

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
ELSEWHERE = "passed without the loop"
"""Nothing ran on the loop that is tried: such a test says nothing of it, and is not counted."""


class DeclarationError(ValueError):
    """A declaration that says nothing, or something that cannot be."""


@dataclass(frozen=True)
class Miss:
    """A test that is known not to pass."""

    test: str
    kind: str
    reason: str
    sometimes: bool = False
    """It may also pass."""
    run: bool = True


@dataclass
class Judgement:
    """What a run comes to."""

    passed: int
    declared: int
    undeclared: list[str]
    """The tests that failed and are not declared."""
    complaints: list[str]
    """A line for each reason why the run is no success; empty if it is one."""


def misses_in(document: Mapping[str, Any]) -> list[Miss]:
    """The misses that a parsed TOML file declares. DeclarationError, with what is wrong, if one cannot be."""
    found: dict[str, Miss] = {}
    for table in document.get("miss", []):
        rest = {name: value for name, value in table.items() if name not in ("tests", "kind", "reason")}
        kind, reason = table.get("kind"), table.get("reason")
        if kind not in KINDS:
            raise DeclarationError(f"a miss is of kind {kind!r}; there are: {', '.join(KINDS)}")
        if not reason or not table.get("tests"):
            raise DeclarationError(f"a miss of kind {kind!r} lacks its reason or its tests: {table}")
        if set(rest) - {"sometimes", "run"}:
            raise DeclarationError(f"a miss has {sorted(rest)}; there are sometimes and run")
        for test in table["tests"]:
            if test in found:
                raise DeclarationError(f"{test} is declared twice")
            found[test] = Miss(test, kind, reason, **rest)
    return list(found.values())


def judge(outcomes: Mapping[str, str], misses: Iterable[Miss], *, loop: str = "muxloop") -> Judgement:
    """Compare outcomes by test with what is declared.

    On ``asyncio`` only those misses count that are none of muxloop's: the others have to pass there, or
    their reason is wrong.
    """
    passed = sum(outcome == PASSED for outcome in outcomes.values())
    known = {miss.test: miss for miss in misses}
    if loop == "asyncio":
        known = {
            test: Miss(test, miss.kind, miss.reason, miss.sometimes or miss.kind == "needs network", miss.run)
            for test, miss in known.items()
            if miss.kind in _WITHOUT_OUR_LOOP or not miss.run
        }
    failed = [test for test, outcome in outcomes.items() if outcome == FAILED]
    undeclared = [test for test in failed if test not in known]
    complaints = [f"{test} failed and is not declared" for test in undeclared]
    for test, miss in known.items():
        outcome = outcomes.get(test)
        if outcome == FAILED or (not miss.run and outcome is None):
            continue
        if outcome is None:
            complaints.append(f"{test} is declared and is not among the tests")
        elif not miss.sometimes:
            complaints.append(f"{test} is declared ({miss.kind}: {miss.reason}) and {outcome}")
    if not passed:
        complaints.append("no test passed on the loop")
    return Judgement(passed, len(known), undeclared, complaints)
