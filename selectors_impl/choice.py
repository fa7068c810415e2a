"""Which backend: an explicit name, else MUXLOOP_BACKEND, else the best that works here.

A name is a built-in one, one that an installed package offers in the entry-point group
``muxloop.backends``, or ``module:Class``; a comma list is an order of preference.  What comes from
outside is found and tried by ``plug_ins.py``.
"""

from __future__ import annotations

import selectors
import sys
from dataclasses import dataclass

from ..errors import BackendUnavailableError
from .environment import read_variable
from .epoll import EpollSelector
from .interface import Selector
from .kqueue import KqueueSelector
from .plug_ins import Offer, load_class, offers
from .poll import PollSelector
from .select import SelectSelector
from .uring import UringSelector
from .validator import ValidatingSelector, is_validating

# Best first.  epoll and kqueue pay for what is ready; poll pays for what is registered; select does
# too and ends at FD_SETSIZE.  No system has both of the first two.
_PROBE_ORDER: tuple[type[Selector], ...] = (EpollSelector, KqueueSelector, PollSelector, SelectSelector)

# Only chosen by name: uring.  No benchmark shows that it is faster than epoll, and a process that is
# given io_uring without having asked for it may be one whose rules forbid it.
_BUILT_IN: tuple[type[Selector], ...] = (*_PROBE_ORDER, UringSelector)

_VARIABLE = "MUXLOOP_BACKEND"


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend and whether it can be had in this process."""

    name: str
    available: bool
    reason: str | None
    """Why it is not available, in one clause; None when it is."""
    source: str
    """``"built in"``, or the distribution or module that offers it."""
    version: str | None
    """The distribution's version; None for what belongs to none, and for what is built in."""
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

    *actor* is who asked, for the error: ``"--backend"``.  With MUXLOOP_DEBUG_SELECTOR=1 its use is watched
    (``validator.py``).  Raises what ``resolve_backend`` raises, and UsageError for another value of that.
    """
    validating = is_validating()
    selector = resolve_backend(name, actor=actor).selector_class()
    return ValidatingSelector(selector) if validating else selector


def resolve_backend(name: str | None = None, *, actor: str = "backend") -> ResolvedBackend:
    """Find and probe what ``open_selector`` would open, and open nothing.

    Raises BackendUnavailableError, in one line: who asked for what, why it cannot be had, and what can.
    """
    if name is None:
        name, actor = read_variable(_VARIABLE), _VARIABLE
        if not name:
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
    """Every built-in backend, best first, then every installed one, by name; none that fails is raised.

    Last comes a default that is neither: MUXLOOP_BACKEND may name a ``module:Class``.
    """
    try:
        default = resolve_backend()
    except (BackendUnavailableError, OSError):
        default = None
    listed = []
    for backend in _BUILT_IN:
        reason = _probe_to_list(backend)
        chosen = default is not None and default.selector_class is backend
        listed.append(Backend(backend.name, reason is None, reason, "built in", None, chosen))
    for offer in _offers():
        reason = _try_to_list(offer)
        chosen = default is not None and (default.name, default.source) == (offer.name, offer.source)
        listed.append(Backend(offer.name, reason is None, reason, offer.source, offer.version, chosen))
    if default is not None and not any(backend.default for backend in listed):
        listed.append(Backend(default.name, True, None, default.source, None, True))
    return tuple(listed)


def _probe_to_list(backend: type[Selector]) -> str | None:
    try:
        return backend.probe()
    except OSError as error:  # out of descriptors, say: to be told here, not raised
        return str(error)


def _try_to_list(offer: Offer) -> str | None:
    try:
        found = offer.load()
    except OSError as error:
        return str(error)
    return found if isinstance(found, str) else None


def _best() -> ResolvedBackend:
    for backend in _PROBE_ORDER:
        if backend.probe() is None:
            return ResolvedBackend(backend.name, backend, "built in")
    reasons = ", ".join(f"{backend.name} ({backend.probe()})" for backend in _PROBE_ORDER)
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
        found = load_class(name)
        if isinstance(found, str):
            return f"not available ({found})"
        return ResolvedBackend(name, found, name.partition(":")[0])
    for offer in _offers():
        if name == offer.name:
            found = offer.load()
            if isinstance(found, str):
                return f"not available ({offer}: {found})"
            return ResolvedBackend(name, found, offer.source)
    return "not a known backend"


def _offers() -> list[Offer]:
    return offers(frozenset(backend.name for backend in _BUILT_IN))


def _what_is_available() -> str:
    names = [backend.name for backend in _BUILT_IN if _probe_to_list(backend) is None]
    names += [offer.name for offer in _offers() if _try_to_list(offer) is None]
    return f"available: {', '.join(names)}"
