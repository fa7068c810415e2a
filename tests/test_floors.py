"""The floors of the house: who may import whom, and how large and how named a file may be.

__main__ → cli → conformance | bench | integrations → loop → selectors_impl → errors
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from source_tree import ROOT, python_files, shipped_files, top_folders

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "selectors_impl": {"errors"},
    "loop": {"selectors_impl", "errors"},
    "conformance": {"selectors_impl", "errors"},
    "bench": {"loop", "selectors_impl", "errors"},
    "integrations": {"loop", "selectors_impl", "errors"},
    "cli": {"conformance", "bench", "loop", "selectors_impl", "errors"},
    "__main__": {"cli"},
    "__init__": {"loop", "selectors_impl", "errors"},
}
"""The floors that each floor may import, itself aside; `conformance` reaches `loop` by its subjects alone."""

SUBJECTS = Path("conformance", "subjects")

LINES_PER_FILE = 450
LINES_PER_FUNCTION = 70
LINES_OF_ROOT = 15

SAYS_NOTHING = {"common", "helper", "helpers", "manager", "managers", "util", "utils"}

MODULES = [path for path in shipped_files() if path.suffix == ".py"]


@dataclass(frozen=True)
class Import:
    """One name that a module imports."""

    target: tuple[str, ...]
    """Where it comes from, below muxloop: ("loop", "core", "Core"); () is the root itself."""
    absolute: bool


def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def imports(path: Path, tree: ast.Module) -> Iterator[Import]:
    """What the module imports from muxloop, anywhere in it: a late import and one for types climb as much."""
    folder = path.parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                top, *rest = name.name.split(".")
                if top == "muxloop":
                    yield Import(tuple(rest), absolute=True)
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            if node.level:
                above = folder[: len(folder) - node.level + 1]
                base = (*above, *module)
            elif module[:1] == ["muxloop"]:
                base = tuple(module[1:])
            else:
                continue
            for name in node.names:
                yield Import((*base, name.name), absolute=not node.level)


def floor_of(parts: tuple[str, ...]) -> str:
    """The floor of a path or of what was imported; what is none comes from the root's own `__init__`."""
    first = parts[0].removesuffix(".py") if parts else "__init__"
    return first if first in BELOW else "__init__"


def climbs(path: Path, tree: ast.Module) -> list[str]:
    """The imports of a module that its floor forbids."""
    floor = floor_of(path.parts)
    allowed = {*BELOW[floor], floor}
    if path.is_relative_to(SUBJECTS):
        allowed.add("loop")
    targets = (found.target for found in imports(path, tree))
    return [".".join(target) or "muxloop" for target in targets if floor_of(target) not in allowed]


def backend_modules() -> set[Path]:
    """The modules of selectors_impl that define a subclass of Selector."""
    found = set()
    for path in MODULES:
        classes = [node for node in parsed(path).body if isinstance(node, ast.ClassDef)]
        bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
        if path.parts[0] == "selectors_impl" and "Selector" in bases:
            found.add(path)
    return found


def words(name: str) -> set[str]:
    """The words of a name in snake_case or CamelCase, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_every_folder_and_root_module_has_its_floor() -> None:
    found = {folder.name for folder in top_folders()} | {
        path.stem for path in MODULES if len(path.parts) == 1
    }
    assert found <= set(BELOW)


def test_no_floor_imports_a_higher_one() -> None:
    climbing = {str(path): climbs(path, parsed(path)) for path in MODULES}
    assert {path: targets for path, targets in climbing.items() if targets} == {}


def test_only_the_root_imports_absolutely() -> None:
    found = {path for path in MODULES for each in imports(path, parsed(path)) if each.absolute}
    assert found == {Path("__init__.py")}


def test_the_root_does_nothing_but_name_what_is_public() -> None:
    docstring, *rest = parsed(Path("__init__.py")).body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(node, ast.ImportFrom | ast.Assign | ast.AugAssign) for node in rest)
    assert len((ROOT / "__init__.py").read_text(encoding="utf-8").splitlines()) < LINES_OF_ROOT


def test_backends_know_neither_one_another_nor_the_choice_among_them() -> None:
    backends = backend_modules()
    assert {path.stem for path in backends} >= {"blank", "epoll", "kqueue", "poll", "select", "uring"}
    forbidden = {path.stem for path in backends} | {"choice"}
    for path in backends:
        targets = [
            found.target for found in imports(path, parsed(path)) if found.target[0] == "selectors_impl"
        ]
        assert targets, f"{path} imports no interface"
        assert forbidden.isdisjoint(target[1] for target in targets), path


def test_a_file_has_one_subject() -> None:
    lines = {str(path): (ROOT / path).read_text(encoding="utf-8").count("\n") for path in python_files()}
    assert {path: count for path, count in lines.items() if count > LINES_PER_FILE} == {}


def test_a_function_fits_on_a_page() -> None:
    long = []
    for path in python_files():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LINES_PER_FUNCTION:
                    long.append(f"{path}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_a_name_tells_what_it_names() -> None:
    names = {part.removesuffix(".py") for path in python_files() for part in path.parts}
    for path in python_files():
        names.update(node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef))
    assert {name for name in names if words(name) & SAYS_NOTHING} == set()


@pytest.mark.parametrize(
    ("path", "line", "climbed"),
    [
        ("errors.py", "from .loop import core", ["loop.core"]),
        ("errors.py", "from . import loop", ["loop"]),
        ("selectors_impl/poll.py", "from ..loop.core import Core", ["loop.core.Core"]),
        ("selectors_impl/poll.py", "from ..errors import MuxloopError", []),
        ("loop/core.py", "from ..conformance.rules import rule", ["conformance.rules.rule"]),
        ("loop/core.py", "from .. import EventLoop", ["EventLoop"]),
        ("loop/core.py", "import muxloop", ["muxloop"]),
        ("loop/core.py", "from ..selectors_impl import open_selector", []),
        ("conformance/judge.py", "def late():\n    from ..loop.core import Core", ["loop.core.Core"]),
        ("conformance/rules/rule.py", "from ...loop.core import Core", ["loop.core.Core"]),
        ("conformance/subjects/__init__.py", "from ...loop.core import Core", []),
        ("cli.py", "from .conformance.suite import run", []),
        ("__main__.py", "from .loop import core", ["loop.core"]),
    ],
)
def test_a_climb_is_seen(path: str, line: str, climbed: list[str]) -> None:
    assert climbs(Path(path), ast.parse(line)) == climbed


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("socket_utils", True),
        ("LoopManager", True),
        ("common", True),
        ("IOHelper", True),
        ("commonplace", False),
    ],
)
def test_an_empty_name_is_seen(name: str, found: bool) -> None:
    assert bool(words(name) & SAYS_NOTHING) == found
