"""Who is ready: interchangeable multiplexers behind one selector interface."""

from .choice import Backend, ResolvedBackend, backends, open_selector, resolve_backend
from .interface import INTERFACE_VERSION, Selector

__all__ = [
    "INTERFACE_VERSION",
    "Backend",
    "ResolvedBackend",
    "Selector",
    "backends",
    "open_selector",
    "resolve_backend",
]
