"""Asynchronous generators that the loop has to close: dropped ones, and all that live when it shuts down.

Source: PEP 525, "Asynchronous Generators' finalization".
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import AsyncGenerator
from typing import Any
from weakref import WeakSet

from .failures import Failures

AsyncGen = AsyncGenerator[Any, Any]


class AsyncGenerators(Failures):
    """The hooks a running loop sets, and ``shutdown_asyncgens``."""

    _asyncgens_shut_down = False

    def __init__(self) -> None:
        self._asyncgens: WeakSet[AsyncGen] = WeakSet()

    async def shutdown_asyncgens(self) -> None:
        """Close every asynchronous generator that was started and not finished, and report those that fail.

        Starting one afterwards is a ResourceWarning.
        """
        self._asyncgens_shut_down = True
        open_ones = list(self._asyncgens)
        self._asyncgens.clear()
        outcomes = await asyncio.gather(*[agen.aclose() for agen in open_ones], return_exceptions=True)
        for agen, outcome in zip(open_ones, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self.call_exception_handler(
                    {
                        "message": f"an error occurred while closing asynchronous generator {agen!r}",
                        "exception": outcome,
                        "asyncgen": agen,
                    }
                )

    def _watch_asyncgens(self) -> None:
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_started, finalizer=self._asyncgen_dropped)

    def _asyncgen_started(self, agen: AsyncGen) -> None:
        if self._asyncgens_shut_down:
            warnings.warn(
                f"asynchronous generator {agen!r} was started after shutdown_asyncgens(): it stays open",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
        self._asyncgens.add(agen)

    def _asyncgen_dropped(self, agen: AsyncGen) -> None:
        # The collector may call this in any thread.
        self._asyncgens.discard(agen)
        if not self.is_closed():
            self.call_soon_threadsafe(self.create_task, agen.aclose())
