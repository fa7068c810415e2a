"""Loops with one mutation, to be judged: ``mutant_loops:muxloop`` and ``mutant_loops:asyncio``.

The environment variable MUXLOOP_MUTANT names the mutation as MODULE#NUMBER, see ``mutations.py``. It must be
set before this module is imported, and a process has one mutant only: the modules are loaded anew for it.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Any

from mutations import mutated

VARIABLE = "MUXLOOP_MUTANT"
CPYTHON = ("base_events", "selector_events", "unix_events")
"""The modules of asyncio that make its loop, each after those that it is built on."""


class _Mutating(importlib.machinery.SourceFileLoader):
    """Loads a module from its source, mutated, whatever was compiled before."""

    def __init__(self, name: str, path: str, number: int) -> None:
        super().__init__(name, path)
        self.number = number

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return compile(mutated(self.get_data(path).decode(), self.number), path, "exec")


class _Finder:
    """Finds one module mutated, and leaves the others to the rest of ``sys.meta_path``."""

    def __init__(self, mutant: str) -> None:
        self.module, _, number = mutant.partition("#")
        self.number = int(number)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name == self.module else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Mutating(name, spec.origin, self.number)
        return spec


def muxloop() -> Any:
    """Our loop, from modules loaded anew."""
    return importlib.import_module("muxloop.loop").new_event_loop()


def asyncio_loop() -> Any:
    """CPython's selector loop, from modules loaded anew."""
    return asyncio.unix_events._UnixSelectorEventLoop()  # type: ignore[attr-defined]


def _load_anew(mutant: str) -> None:
    sys.meta_path.insert(0, _Finder(mutant))  # type: ignore[arg-type]
    if mutant.startswith("asyncio."):
        for name in CPYTHON:
            del sys.modules[f"asyncio.{name}"]
            # `from . import NAME` looks at the package first.
            setattr(asyncio, name, importlib.import_module(f"asyncio.{name}"))
    else:
        for name in [name for name in sys.modules if (name + ".").startswith("muxloop.loop.")]:
            del sys.modules[name]


if VARIABLE in os.environ:
    _load_anew(os.environ[VARIABLE])
