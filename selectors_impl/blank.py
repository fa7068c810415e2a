"""A backend with every member raising, in the order its siblings have them: copy it to start a port.

Open with what the kernel does that its users would not expect, each point ending in "so we do …".
``interface.py`` says what every member owes; the tests hold you to it: add a line to
``tests/selectors_under_test.py``.  In a package of your own, import from ``muxloop.selectors_impl.interface``
and write the ``interface_version`` you read: ``docs/writing-a-backend.md`` goes all the way.
"""

from __future__ import annotations

from selectors import SelectorKey

from .interface import Selector


class BlankSelector(Selector):
    """A selector that cannot do anything yet."""

    name = "blank"
    resolution = 1e-3

    @classmethod
    def probe(cls) -> str | None:
        return "it is a blank form to start a port from"

    def __init__(self) -> None:
        super().__init__()
        raise NotImplementedError("make the kernel's object here; one that has a number also offers fileno()")

    def _add(self, fd: int, events: int) -> None:
        raise NotImplementedError

    def _change(self, fd: int, before: int, events: int) -> None:
        raise NotImplementedError

    def _remove(self, fd: int, events: int) -> None:
        raise NotImplementedError

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        raise NotImplementedError

    def _forked(self) -> None:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError
