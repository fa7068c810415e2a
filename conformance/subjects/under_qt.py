"""qasync's loop, with an application of Qt that needs no display.

Qt changes the environment when it is imported, which is not the loop's doing: hence imports at the top.
"""

from __future__ import annotations

import asyncio
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication
from qasync import QEventLoop


def qasync_loop() -> asyncio.AbstractEventLoop:
    """A fresh one, on the process's application."""
    loop: asyncio.AbstractEventLoop = QEventLoop(
        QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    )
    return loop
