"""Who is ready: interchangeable multiplexers behind one selector interface."""

from .choice import Backend, ResolvedBackend, backends, open_selector, resolve_backend
from .interface import INTERFACE_VERSION, Selector
from .validator import ValidatingSelector, is_validating, validated

__all__ = [
    "INTERFACE_VERSION",
    "Backend",
    "ResolvedBackend",
    "Selector",
    "ValidatingSelector",
    "backends",
    "is_validating",
    "open_selector",
    "resolve_backend",
    "validated",
]
