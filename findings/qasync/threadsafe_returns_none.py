"""qasync: call_soon_threadsafe() returns None, so what it queued cannot be cancelled

Rule:     CAN-02
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.call_soon_threadsafe is the thread-safe variant of call_soon, which returns an asyncio.Handle
Expected: a Handle
Seen:     None
"""

import asyncio

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
handle = loop.call_soon_threadsafe(print)
print(handle)
loop.close()
raise SystemExit(not isinstance(handle, asyncio.Handle))
