"""Loops that need something around them: a factory for each that builds that too."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings


def qasync_loop() -> asyncio.AbstractEventLoop:
    """qasync's loop, with an application of Qt that needs no display."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QCoreApplication
    from qasync import QEventLoop

    loop: asyncio.AbstractEventLoop = QEventLoop(
        QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    )
    return loop


def trio_asyncio_loop() -> asyncio.AbstractEventLoop:
    """trio-asyncio's loop that runs by itself; the other kind lives inside a trio run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is on its way out, and yet the only one of this form
        from trio_asyncio._sync import SyncTrioEventLoop

        loop: asyncio.AbstractEventLoop = SyncTrioEventLoop()
    return loop
