"""Backends from outside: found by entry point or as ``module:Class``, and tried before they are trusted.

A plug-in is a class below ``selectors.BaseSelector``. One below our ``Selector`` leans on more than the
standard library promises, so it has to say which ``interface_version`` it was written for.

Whatever is wrong with a plug-in comes back as a clause, and is raised only when that plug-in was asked for:
one broken package must not stand in the way of the other backends. A shortage of descriptors or memory is
no fault of the plug-in, and is raised, as it is for a backend of ours.
"""

from __future__ import annotations

import importlib
import re
import selectors
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from selectors import EVENT_READ
from typing import TYPE_CHECKING

from .interface import INTERFACE_VERSION, Selector, why_probe_failed

if TYPE_CHECKING:
    from importlib import metadata

ENTRY_POINTS = "muxloop.backends"

SelectorClass = type[selectors.BaseSelector]

# "," separates names and ":" makes a class of one, in MUXLOOP_BACKEND.
_NAME = re.compile(r"[\w.+-]+")


@dataclass(frozen=True, slots=True)
class Offer:
    """What one entry point of an installed distribution offers."""

    name: str
    target: str
    """``module:Class``, as the distribution wrote it."""
    source: str
    """The distribution."""
    version: str | None
    obstacle: str | None
    """Why the name leads nowhere, whatever stands behind it."""

    def __str__(self) -> str:
        source = f"{self.source} {self.version}" if self.version else self.source
        return f"{source}, entry point {self.name} = {self.target}"

    def load(self) -> SelectorClass | str:
        """The class, tried and found to work, or why it cannot be had."""
        return self.obstacle or load_class(self.target)


def offers(built_in: frozenset[str]) -> list[Offer]:
    """Every entry point in the group ``muxloop.backends``, by name.

    A name of ours cannot be taken over ("epoll" means the same everywhere), and of two plug-ins with one
    name neither wins: which comes first would hang on the order of ``sys.path``.
    """
    points = _entry_points(tuple(sys.path))
    by_name: dict[str, list[str]] = {}
    for point in points:
        by_name.setdefault(point.name, []).append(_source(point))
    found = []
    for point in points:
        obstacle = None
        if point.name in built_in:
            obstacle = f"muxloop's own {point.name} keeps the name; ask for it as {_target(point)}"
        elif not _NAME.fullmatch(point.name):
            obstacle = f"nobody can ask for such a name; ask for it as {_target(point)}"
        elif len(by_name[point.name]) > 1:
            rivals = " and ".join(sorted(by_name[point.name]))
            obstacle = f"offered by {rivals}: uninstall all but one, or ask for one as {_target(point)}"
        version = point.dist.version if point.dist is not None else None
        found.append(Offer(point.name, _target(point), _source(point), version, obstacle))
    return sorted(found, key=lambda offer: (offer.name, offer.source))


@lru_cache(maxsize=1)
def _entry_points(path: tuple[str, ...]) -> metadata.EntryPoints:  # noqa: ARG001 - decides what is found
    """Read once for each ``sys.path``: it takes 10 ms with 60 distributions, and each new loop would ask."""
    # Late: it is an eighth of the time that muxloop takes to import, and few processes ask.
    from importlib import metadata

    return metadata.entry_points(group=ENTRY_POINTS)


def _source(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown distribution"


def _target(point: metadata.EntryPoint) -> str:
    return point.value.partition("[")[0].strip()  # "[extra]" may follow the class


def load_class(target: str) -> SelectorClass | str:
    """The class called ``module:Class``, tried and found to work, or why it cannot be had."""
    module_name, _, path = target.partition(":")
    try:
        found: object = importlib.import_module(module_name)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:  # a module may call sys.exit() as it is imported
        return f"loading it raised {_told(error)}"
    if not isinstance(found, type) or not issubclass(found, selectors.BaseSelector):
        return f"{found!r} is not a subclass of selectors.BaseSelector"
    return _why_unfit(found) or found


def _why_unfit(found: SelectorClass) -> str | None:
    """Why a class from outside cannot serve as a backend; None when it can."""
    outdated = _why_outdated(found)
    if outdated is not None:
        return outdated
    doing = "its probe"
    try:
        if issubclass(found, Selector):
            for member in ("name", "resolution"):
                if not hasattr(found, member):
                    return f"{found.__name__} has no {member}, which every muxloop Selector states"
            reason: object = found.probe()
            if isinstance(reason, str) and reason:
                return reason
            if reason is not None:
                return f"its probe returned {reason!r}, not None or the reason why it cannot work"
        doing = f"opening {found.__name__}"
        # Winsock waits for one socket at least, and a plug-in may leave that to its callers.
        with found() as selector, socket.socket(type=socket.SOCK_DGRAM) as idle:
            doing = "its register()"
            selector.register(idle, EVENT_READ)
            doing = "its select(0)"
            ready: object = selector.select(0)
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError):
            why_probe_failed(found.__name__, error)  # raises a shortage
        return f"{doing} raised {_told(error)}"
    if not isinstance(ready, list):
        return f"its select(0) returned {ready!r}, not a list"
    return None


def _why_outdated(found: SelectorClass) -> str | None:
    """Why a class was not written for this interface; the version that it inherits from us says nothing."""
    ours = __name__.partition(".")[0]
    foreign = [vars(each) for each in found.__mro__ if each.__module__.partition(".")[0] != ours]
    stated = [members["interface_version"] for members in foreign if "interface_version" in members]
    if not stated:
        if not issubclass(found, Selector) or found.__module__.partition(".")[0] == ours:
            return None
        return (
            f"{found.__name__} does not say which selector interface it was written for; this muxloop has "
            f"{INTERFACE_VERSION}: write interface_version = {INTERFACE_VERSION} in its class"
        )
    version = stated[0]
    if version == INTERFACE_VERSION:
        return None
    remedy = "the plug-in's interface_version must be a whole number"
    if isinstance(version, int):
        remedy = "upgrade muxloop" if version > INTERFACE_VERSION else "upgrade the plug-in"
    return f"written for selector interface {version!r}, this muxloop has {INTERFACE_VERSION}: {remedy}"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
