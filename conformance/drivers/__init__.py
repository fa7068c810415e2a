"""Worlds that are no asyncio loops, dressed up so that the rules can judge them: one module per world.

``driver`` has what every driver is made of; docs/judging-your-loop.md shows a whole one. A driver adds
nothing of its own to what it drives: what a world does not have stays out, and is then `not-offered`.
"""

from __future__ import annotations

from .driver import Driver, DriverHandle, DriverTimer, refuse_context

__all__ = ["Driver", "DriverHandle", "DriverTimer", "refuse_context"]
