"""What is judged: how a subject is named, found and built.

    NAME[@BACKEND]             a loop, or another world with a driver, that ``named`` knows
    MODULE:FACTORY[@BACKEND]   a callable of anybody's; with a backend it is called with the open selector
    selector:NAME              one of muxloop's backends
    selector:MODULE:CLASS      anybody's ``selectors.BaseSelector``

A subject is parsed wherever it is named; it is built only in the process that plays it.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import selectors
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import MuxloopError, SubjectError
from ...selectors_impl import backends, open_selector, resolve_backend
from .named import NAMED_LOOPS, NamedLoop

__all__ = ["NAMED_LOOPS", "NamedLoop", "Subject", "default_subjects", "parse"]


@dataclass(frozen=True)
class Subject:
    """One loop or selector to be judged; ``spec`` is its whole identity."""

    spec: str
    kind: str
    """ "loop" or "selector"."""
    target: str
    """A known name, or MODULE:ATTRIBUTE."""
    backend: str | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """What the subject claims beyond the common rules."""
        named = NAMED_LOOPS.get(self.target)
        return named.capabilities if named and self.kind == "loop" else frozenset()

    @property
    def version(self) -> str:
        """The installed version of the distribution it comes from, or Python's for what ships with Python."""
        module = self.target.partition(":")[0].partition(".")[0]
        if self.kind == "selector" and ":" not in self.target:
            module = "muxloop"
        if module in sys.stdlib_module_names:
            return "Python " + ".".join(map(str, sys.version_info[:3]))
        try:
            return importlib.metadata.version(module)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"

    def chosen_backend(self) -> str | None:
        """The backend as given, or the one that muxloop picks by itself; None for loops with their own."""
        if self.backend is None and self.kind == "loop" and self.target == "muxloop":
            return resolve_backend().name
        return self.backend

    def factory(self) -> Callable[[], Any]:
        """A callable that gives a fresh loop (or selector); SubjectError when there is none."""
        if self.kind == "selector":
            if ":" in self.target:
                return _found(self.spec, self.target)
            return lambda: open_selector(self.target)
        named = NAMED_LOOPS.get(self.target)
        build = _found(self.spec, f"{named.module}:{named.factory}" if named else self.target, named)
        backend = self.backend
        if backend is None:
            return build
        if named and named.by_name:
            return lambda: build(backend)
        return lambda: build(open_selector(backend))

    def build(self) -> Any:
        """One loop or selector, checked to be one; SubjectError if the factory raises or gives none."""
        try:
            made = self.factory()()
        except SubjectError:
            raise
        except Exception as error:
            _name_what_is_missing(self.spec, error, NAMED_LOOPS.get(self.target))
            raised = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise SubjectError(f"{self.spec}: its factory raised {raised}") from error
        wanted: Any = selectors.BaseSelector if self.kind == "selector" else asyncio.AbstractEventLoop
        members = ("register", "select") if self.kind == "selector" else ("call_soon", "run_forever", "close")
        if not isinstance(made, wanted) and not all(
            callable(getattr(made, member, None)) for member in members
        ):
            raise SubjectError(f"{self.spec}: its factory returned {made!r:.80}, not {_ARTICLE[self.kind]}")
        return made


_ARTICLE = {"loop": "an event loop", "selector": "a selector"}


def _name_what_is_missing(spec: str, error: Exception, named: NamedLoop | None) -> None:
    """Raise the SubjectError that says how to get a known loop, if its not being installed is the error."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if named and missing and missing.partition(".")[0] in (named.distribution, "PySide6"):
        raise SubjectError(
            f"{spec}: {named.distribution} is not installed; get it with: {named.remedy}"
        ) from None


def _found(spec: str, path: str, named: NamedLoop | None = None) -> Callable[..., Any]:
    module, _, attribute = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        _name_what_is_missing(spec, error, named)
        raise SubjectError(f"{spec}: cannot import {module}: {error}") from error
    except Exception as error:
        raise SubjectError(f"{spec}: importing {module} raised {type(error).__name__}: {error}") from error
    for name in attribute.split("."):
        found = getattr(found, name, None)
    if not callable(found):
        raise SubjectError(f"{spec}: {module} has no callable {attribute!r}")
    return found  # type: ignore[no-any-return]


def parse(spec: str) -> Subject:
    """Read a subject's name; SubjectError, in one line, when it cannot be one."""
    if spec.startswith("selector:"):
        target = spec.removeprefix("selector:")
        if ":" in target:
            _check_path(spec, target)
        else:
            _check_backend(spec, target)
        return Subject(spec, "selector", target)
    target, at, backend = spec.partition("@")
    if ":" not in target and target not in NAMED_LOOPS:
        known = ", ".join(NAMED_LOOPS)
        raise SubjectError(
            f"{spec}: no subject of that name; known: {known}; "
            "others are named MODULE:FACTORY or selector:NAME"
        )
    if ":" in target:
        _check_path(spec, target)
    named = NAMED_LOOPS.get(target)
    if named and sys.version_info < named.python:
        needs, this = (".".join(map(str, version[:2])) for version in (named.python, sys.version_info))
        raise SubjectError(f"{spec}: {target} needs Python {needs} or later; this is {this}")
    if at:
        if named and not named.takes_backend:
            raise SubjectError(
                f"{spec}: {target} brings its own multiplexer, no backend can be chosen; name it without @"
            )
        if named and named.own_backends:
            if backend not in named.own_backends:
                raise SubjectError(f"{spec}: {target} has {', '.join(named.own_backends)}")
        else:
            _check_backend(spec, backend)
    return Subject(spec, "loop", target, backend or None)


def _check_path(spec: str, path: str) -> None:
    module, _, attribute = path.partition(":")
    if not all(name.isidentifier() for name in (*module.split("."), *attribute.split("."))):
        raise SubjectError(f"{spec!r}: {path!r} is not MODULE:NAME, as in mypackage.loops:new_event_loop")


def _check_backend(spec: str, name: str) -> None:
    try:
        resolve_backend(name)
    except MuxloopError as error:
        raise SubjectError(f"{spec}: {error}") from None


def default_subjects() -> list[str]:
    """muxloop on every available backend, and every selector."""
    available = [backend.name for backend in backends() if backend.available]
    return [f"muxloop@{name}" for name in available] + [f"selector:{name}" for name in available]
