"""Mutations change what runs, one thing each, and a mutant loop is judged like any other."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest
from fault_hunts import verdicts_on
from mutant_loops import VARIABLE
from mutations import mutated, mutations_of
from muxloop.conformance.rules import chosen_rules

SOURCE = '''
def turn(ready, limit):
    """Run what is ready."""
    logger.debug("a turn")
    ran = 0
    while ready and ran <= limit:
        ready.popleft()()
        ran += 1
    if not ready:
        raise LookupError("empty")
    return ran
'''
KINDS = ("drops", "swaps", "negates", "instead", "ignores")


def whats(source: str) -> list[str]:
    return [mutation.what for mutation in mutations_of(ast.parse(source))]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_mutation_is_made(kind: str) -> None:
    assert any(kind in what for what in whats(SOURCE))


def test_every_mutation_changes_the_source_and_leaves_it_a_program() -> None:
    sound = ast.unparse(ast.parse(SOURCE))
    mutants = [ast.unparse(mutated(SOURCE, number)) for number in range(len(whats(SOURCE)))]
    for mutant in mutants:
        compile(mutant, "mutant", "exec")
    assert sound not in mutants
    assert len(set(mutants)) == len(mutants)


def test_words_are_left_alone() -> None:
    assert not [what for what in whats(SOURCE) if "a turn" in what or "Run what" in what]


@pytest.mark.parametrize(
    ("subject", "module", "what"),
    [
        ("mutant_loops:muxloop", "muxloop.loop.core", "negates: callback is None"),
        ("mutant_loops:asyncio_loop", "asyncio.base_events", "drops: handle._run()"),
    ],
)
def test_a_mutant_is_judged(subject: str, module: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = inspect.getsourcefile(importlib.import_module(module))
    assert path is not None
    # The last of its kind: of two calls of a handle, the first is the one of debug mode.
    *_, number = [n for n, each in enumerate(whats(Path(path).read_text(encoding="utf-8"))) if each == what]
    monkeypatch.setenv(VARIABLE, f"{module}#{number}")
    (fifo,) = chosen_rules(["ORD-01"])
    assert next(verdicts_on(subject, fifo, "quick")).bad
