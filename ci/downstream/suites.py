"""The suites: which there are, and what each file in ``suites/`` says of one.

    version = "4.16.0"                 of the distribution, whose sdist carries the tests
    requirements = ["pytest==9.0.2"]   what its tests need on top, pinned
    arguments = ["tests"]              of pytest, run in the unpacked sdist
    plugins = ["anyio_backend"]        modules in ``inside/`` that bring our loop in where a policy does not
    modules = ["test.test_events"]     instead of version and arguments: CPython's own, by its unittest
    python = "3.13"                    the interpreter: outcomes change with it, so it is pinned, too
    services = ["redis"]               what has to run; its port stands in arguments as {redis}
    [environment]                      variables of the tests
    [other_loops]                      class of a loop = why it runs in these tests

and the misses, as ``declarations.py`` has them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from declarations import DeclarationError, Miss, misses_in

FOLDER = Path(__file__).parent / "suites"


class SuiteError(LookupError):
    """There is no such suite, or what its file says makes none."""


@dataclass(frozen=True)
class Suite:
    """Other people's tests, and how to run them on our loop."""

    name: str
    misses: list[Miss]
    distribution: str = ""
    version: str = ""
    requirements: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    plugins: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    python: str = "3.13"
    services: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    other_loops: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_cpython(self) -> bool:
        """Whether these are CPython's own tests, which no distribution carries."""
        return bool(self.modules)


def names(folder: Path) -> list[str]:
    """The names of all suites."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str, folder: Path) -> Suite:
    """The suite of that name. SuiteError if there is none, or its file cannot be understood."""
    path = folder / f"{name}.toml"
    if name not in names(folder):
        raise SuiteError(f"no suite is called {name!r}; there are: {', '.join(names(folder))}")
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        misses = misses_in(document)
        document.pop("miss", None)
        document.setdefault("distribution", name)
        return Suite(name=name, misses=misses, **document)
    except (DeclarationError, tomllib.TOMLDecodeError, TypeError) as error:
        raise SuiteError(f"{path}: {error}") from None
