"""Loops that are wrong in one way, for the tests of the stress script."""

from __future__ import annotations

import os
from typing import Any

from muxloop import EventLoop


class LeaksDescriptors(EventLoop):
    """Leaves one open now and then."""

    _made = 0

    def create_future(self) -> Any:
        self._made += 1
        if self._made % 100 == 0:
            os.dup(0)
        return super().create_future()


class ForgetsACall(EventLoop):
    """Of those that come from threads."""

    _called = 0

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        self._called += 1
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if self._called == 1500:
            handle.cancel()
        return handle
