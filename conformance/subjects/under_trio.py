"""trio-asyncio's loop that runs by itself; the other kind lives inside a trio run."""

from __future__ import annotations

import asyncio
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is on its way out, and yet the only one of this form
    from trio_asyncio._sync import SyncTrioEventLoop


def trio_asyncio_loop() -> asyncio.AbstractEventLoop:
    """A fresh one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loop: asyncio.AbstractEventLoop = SyncTrioEventLoop()
    return loop
