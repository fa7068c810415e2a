"""Who takes part: event loops and selectors, named as the conformance suite names them.

    muxloop@BACKEND, asyncio@BACKEND, uvloop             loops
    selector:BACKEND, selector:selectors:CLASS           ours, and the standard library's

What cannot be had here is listed with the reason, never left out.
"""

from __future__ import annotations

import asyncio
import importlib
import selectors
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from .. import selectors_impl
from ..errors import UsageError
from ..loop import EventLoop

_STANDARD = {
    "epoll": "EpollSelector",
    "kqueue": "KqueueSelector",
    "poll": "PollSelector",
    "select": "SelectSelector",
}
_OTHER_LOOPS = ("uvloop",)


@dataclass(frozen=True)
class Contestant:
    """One loop or selector; ``absent`` is the reason why it cannot take part."""

    name: str
    absent: str | None = None


def loops() -> list[Contestant]:
    """Our loop on each backend, asyncio's on each of the standard library's selectors, and others."""
    found = [Contestant(f"muxloop@{name}", reason) for name, reason in _built_in()]
    found += [Contestant(f"asyncio@{name}", _missing(name)) for name in _STANDARD]
    for name in _OTHER_LOOPS:
        found.append(Contestant(name, None if find_spec(name) else "not installed"))
    return found


def selectors_of_all() -> list[Contestant]:
    """Each of our backends, and each of the standard library's selectors."""
    found = [Contestant(f"selector:{name}", reason) for name, reason in _built_in()]
    found += [Contestant(standard_selector(name), _missing(name)) for name in _STANDARD]
    return found


def standard_selector(backend: str) -> str:
    """The name of the standard library's selector on the mechanism of that name; epoll's for one it lacks."""
    return f"selector:selectors:{_STANDARD.get(backend, _STANDARD['epoll'])}"


def asyncio_beside(loop: str) -> str:
    """The name of asyncio's loop on the same mechanism; on its own choice where there is none."""
    backend = loop.partition("@")[2]
    if backend not in _STANDARD:
        backend = next(name for name in _STANDARD if _missing(name) is None)
    return f"asyncio@{backend}"


def open_loop(name: str) -> asyncio.AbstractEventLoop:
    """A fresh loop. UsageError if there is none of that name."""
    family, _, backend = name.partition("@")
    if family == "muxloop":
        return EventLoop(selectors_impl.open_selector(backend))
    if family == "asyncio" and backend in _STANDARD:
        return asyncio.SelectorEventLoop(getattr(selectors, _STANDARD[backend])())
    if family in _OTHER_LOOPS:
        loop: asyncio.AbstractEventLoop = importlib.import_module(family).new_event_loop()
        return loop
    raise UsageError(f"{name}: no loop of that name takes part in benchmarks")


def open_selector(name: str) -> selectors.BaseSelector:
    """A fresh selector. UsageError if there is none of that name."""
    _, _, target = name.partition(":")
    module, _, attribute = target.partition(":")
    if module == "selectors" and attribute in _STANDARD.values():
        selector: selectors.BaseSelector = getattr(selectors, attribute)()
        return selector
    if name == f"selector:{target}" and not attribute:
        return selectors_impl.open_selector(target)
    raise UsageError(f"{name}: no selector of that name takes part in benchmarks")


def versions() -> dict[str, str | None]:
    """The installed version of every distribution that takes part; None for one that is not installed."""
    found: dict[str, str | None] = {}
    for name in ("muxloop", *_OTHER_LOOPS):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _built_in() -> list[tuple[str, str | None]]:
    # What a plug-in costs is its author's to measure.
    return [
        (backend.name, backend.reason)
        for backend in selectors_impl.backends()
        if backend.source == "built in"
    ]


def _missing(backend: str) -> str | None:
    name: Any = _STANDARD[backend]
    return None if hasattr(selectors, name) else f"this Python's selectors has no {name}"
