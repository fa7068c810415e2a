"""Which backend: an explicit name, else MUXLOOP_BACKEND, else the best that works here.

A name is a built-in one, one that an installed package offers in the entry-point group
``muxloop.backends``, or ``module:Class``; a comma list is an order of preference.  A plug-in is any
subclass of ``selectors.BaseSelector``; one that declares an ``interface_version`` must declare ours.
"""

from __future__ import annotations

import importlib
import os
import selectors
import sys
from dataclasses import dataclass
from importlib import metadata

from ..errors import BackendUnavailableError
from .epoll import EpollSelector
from .interface import INTERFACE_VERSION, Selector
from .kqueue import KqueueSelector
from .poll import PollSelector
from .select import SelectSelector

# Best first.  epoll and kqueue pay for what is ready; poll pays for what is registered; select does
# too and ends at FD_SETSIZE.  No system has both of the first two.
_BUILT_IN: tuple[type[Selector], ...] = (EpollSelector, KqueueSelector, PollSelector, SelectSelector)

_VARIABLE = "MUXLOOP_BACKEND"
_ENTRY_POINTS = "muxloop.backends"


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend and whether it can be had in this process."""

    name: str
    available: bool
    reason: str | None
    """Why it is not available, in one clause; None when it is."""
    source: str
    """``"built in"``, or the distribution or module that offers it."""
    default: bool
    """Whether ``open_selector()`` would open it now."""


@dataclass(frozen=True, slots=True)
class ResolvedBackend:
    """A name that was looked up, probed and found to work."""

    name: str
    selector_class: type[selectors.BaseSelector]
    source: str


def open_selector(name: str | None = None, *, actor: str = "backend") -> selectors.BaseSelector:
    """Open the backend called *name*; None means MUXLOOP_BACKEND or, without that, the best that works.

    *actor* is who asked, for the error: ``"--backend"``.  Raises what ``resolve_backend`` raises.
    """
    return resolve_backend(name, actor=actor).selector_class()


def resolve_backend(name: str | None = None, *, actor: str = "backend") -> ResolvedBackend:
    """Find and probe what ``open_selector`` would open, and open nothing.

    Raises BackendUnavailableError, in one line: who asked for what, why it cannot be had, and what can.
    """
    if name is None:
        name, actor = _from_environment(), _VARIABLE
        if name is None:
            return _best()
    wanted = [part.strip() for part in name.split(",") if part.strip()]
    if not wanted:
        raise BackendUnavailableError(f"{actor}={name!r}: names no backend; {_what_is_available()}")
    reasons = []
    for part in wanted:
        found = _look_up(part)
        if isinstance(found, ResolvedBackend):
            return found
        reasons.append(found)
    if len(wanted) == 1:
        why = reasons[0]
    else:
        why = "none can be had: " + "; ".join(f"{n} is {r}" for n, r in zip(wanted, reasons, strict=True))
    raise BackendUnavailableError(f"{actor}={name}: {why}; {_what_is_available()}")


def backends() -> tuple[Backend, ...]:
    """Every built-in and installed backend, best first, then by name; never raises for one that fails."""
    try:
        default = resolve_backend().selector_class
    except (BackendUnavailableError, OSError):
        default = None
    listed = []
    for backend in _BUILT_IN:
        reason = _probe_to_list(backend)
        listed.append(Backend(backend.name, reason is None, reason, "built in", backend is default))
    for point in _plug_ins():
        found = _load_plug_in(point)
        if isinstance(found, ResolvedBackend):
            listed.append(Backend(found.name, True, None, found.source, found.selector_class is default))
        else:
            listed.append(Backend(point.name, False, found, _distribution_of(point), False))
    return tuple(listed)


def _probe_to_list(backend: type[Selector]) -> str | None:
    try:
        return backend.probe()
    except OSError as error:  # out of descriptors, say: to be told here, not raised
        return str(error)


def _from_environment() -> str | None:
    """What MUXLOOP_BACKEND asks for; nothing when empty, or when the process runs with another's rights.

    Under setuid the variable is the caller's, and ``module:Class`` in it would run the caller's code.
    """
    if hasattr(os, "getuid") and (os.getuid() != os.geteuid() or os.getgid() != os.getegid()):
        return None
    return os.environ.get(_VARIABLE) or None


def _best() -> ResolvedBackend:
    for backend in _BUILT_IN:
        if backend.probe() is None:
            return ResolvedBackend(backend.name, backend, "built in")
    reasons = ", ".join(f"{backend.name} ({backend.probe()})" for backend in _BUILT_IN)
    raise BackendUnavailableError(f"muxloop: no backend works on {sys.platform}: {reasons}")


def _look_up(name: str) -> ResolvedBackend | str:
    """The backend of that name, or why it cannot be had."""
    for backend in _BUILT_IN:
        if name == backend.name:
            reason = backend.probe()
            if reason is None:
                return ResolvedBackend(name, backend, "built in")
            return f"not available on {sys.platform} ({reason})"
    if ":" in name:
        return _load_class(name)
    for point in _plug_ins():
        if name == point.name:
            found = _load_plug_in(point)
            return found if isinstance(found, ResolvedBackend) else f"not available ({found})"
    return "not a known backend"


def _load_class(name: str) -> ResolvedBackend | str:
    module_name, _, path = name.partition(":")
    try:
        found: object = importlib.import_module(module_name)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except Exception as error:
        return f"not available ({type(error).__name__}: {_one_line(error)})"
    refusal = _refusal(found)
    if refusal is not None:
        return f"not available ({refusal})"
    assert isinstance(found, type)
    return ResolvedBackend(name, found, module_name)


def _load_plug_in(point: metadata.EntryPoint) -> ResolvedBackend | str:
    try:
        found: object = point.load()
    except Exception as error:
        return f"{_distribution_of(point)}: {type(error).__name__}: {_one_line(error)}"
    refusal = _refusal(found)
    if refusal is not None:
        return refusal
    assert isinstance(found, type)
    return ResolvedBackend(point.name, found, _distribution_of(point))


def _refusal(found: object) -> str | None:
    """Why an object from outside cannot serve as a backend; None when it can."""
    if not isinstance(found, type) or not issubclass(found, selectors.BaseSelector):
        return f"{found!r} is not a subclass of selectors.BaseSelector"
    version = getattr(found, "interface_version", INTERFACE_VERSION)
    if version != INTERFACE_VERSION:
        return f"written for selector interface {version}, this muxloop has {INTERFACE_VERSION}"
    try:
        if issubclass(found, Selector):
            return found.probe()
        with found() as selector:
            selector.select(0)
    except Exception as error:
        return f"{found.__name__} does not work: {type(error).__name__}: {_one_line(error)}"
    return None


def _plug_ins() -> list[metadata.EntryPoint]:
    # A name of ours cannot be taken over: "epoll" means the same everywhere.
    taken = {backend.name for backend in _BUILT_IN}
    points = (point for point in metadata.entry_points(group=_ENTRY_POINTS) if point.name not in taken)
    return sorted(points, key=lambda point: point.name)


def _distribution_of(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _what_is_available() -> str:
    names = [backend.name for backend in _BUILT_IN if backend.probe() is None]
    names += [point.name for point in _plug_ins() if isinstance(_load_plug_in(point), ResolvedBackend)]
    return f"available: {', '.join(names)}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
