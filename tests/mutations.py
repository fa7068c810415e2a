"""Small systematic faults in a module's source: one thing dropped, turned round, swapped or off by one.

Mutation number n of a source is the same on every run: numbers follow the order of the text. What only words
an error, a description or a log line is left alone, for no rule reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_SHIFTED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_WORDS = ("logger.", "warnings.", "_logger.")
_DROPPABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.Raise, ast.Break, ast.Continue)
_SWAPPABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.If)


@dataclass(frozen=True)
class Mutation:
    """One change to a tree; `apply` makes it, once."""

    line: int
    what: str
    apply: Callable[[], None]


def mutations_of(tree: ast.Module) -> list[Mutation]:
    """Every mutation of the functions in a tree, in the order of the text."""
    found: list[Mutation] = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and not _only_words(function):
            for body in _bodies(function):
                found += _in_body(body)
            for node in _own_nodes(function):
                found += _in_expression(node)
    return sorted(found, key=lambda mutation: (mutation.line, mutation.what))


def mutated(source: str, number: int) -> ast.Module:
    """The tree of a source with that mutation made."""
    tree = ast.parse(source)
    mutations_of(tree)[number].apply()
    return ast.fix_missing_locations(tree)


def _only_words(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return function.name in ("__repr__", "__str__") or function.name.startswith("describe")


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """What runs when the function does, without functions inside it and what words a message."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Raise) or _is_told(node):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _bodies(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[list[ast.stmt]]:
    yield function.body
    for node in _own_nodes(function):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                yield body


def _is_told(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(_WORDS)


def _in_body(body: list[ast.stmt]) -> Iterator[Mutation]:
    for place, statement in enumerate(body):
        if _is_told(statement) or _is_docstring(statement):
            continue
        if isinstance(statement, _DROPPABLE):
            yield _dropped(body, place)
        after = body[place + 1] if place + 1 < len(body) else None
        if after is not None and isinstance(statement, _SWAPPABLE) and isinstance(after, _SWAPPABLE):
            yield _swapped(body, place)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _dropped(body: list[ast.stmt], place: int) -> Mutation:
    statement = body[place]

    def apply() -> None:
        body[place] = ast.copy_location(ast.Pass(), statement)

    return Mutation(statement.lineno, f"drops: {_short(statement)}", apply)


def _swapped(body: list[ast.stmt], place: int) -> Mutation:
    first, second = body[place], body[place + 1]

    def apply() -> None:
        body[place], body[place + 1] = second, first

    return Mutation(first.lineno, f"swaps: {_short(first)} <-> {_short(second)}", apply)


def _in_expression(node: ast.AST) -> Iterator[Mutation]:
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Constant):
        yield _negated(node)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SHIFTED:
        yield _shifted(node)
    if isinstance(node, ast.BoolOp):
        for place in range(len(node.values)):
            yield _without_operand(node, place)
    if isinstance(node, ast.Constant):
        yield from _off_by_one(node)


def _negated(node: ast.If | ast.While | ast.IfExp) -> Mutation:
    test = node.test

    def apply() -> None:
        node.test = ast.UnaryOp(ast.Not(), test)

    return Mutation(node.lineno, f"negates: {_short(test)}", apply)


def _shifted(node: ast.Compare) -> Mutation:
    to = _SHIFTED[type(node.ops[0])]

    def apply() -> None:
        node.ops = [to()]

    return Mutation(node.lineno, f"{to.__name__} instead: {_short(node)}", apply)


def _without_operand(node: ast.BoolOp, place: int) -> Mutation:
    operand = node.values[place]
    neutral = isinstance(node.op, ast.And)

    def apply() -> None:
        node.values[place] = ast.copy_location(ast.Constant(neutral), operand)

    return Mutation(operand.lineno, f"ignores {_short(operand)} in: {_short(node)}", apply)


def _off_by_one(node: ast.Constant) -> Iterator[Mutation]:
    value = node.value
    if isinstance(value, bool):
        yield _replaced(node, not value)
    elif isinstance(value, int):
        yield _replaced(node, value + 1)
        yield _replaced(node, value - 1)


def _replaced(node: ast.Constant, value: object) -> Mutation:
    former = node.value

    def apply() -> None:
        node.value = value  # type: ignore[assignment]

    return Mutation(node.lineno, f"{value!r} instead of {former!r}", apply)


def _short(node: ast.AST) -> str:
    line, *more = ast.unparse(node).splitlines()
    return line[:70] + (" …" if more or len(line) > 70 else "")
