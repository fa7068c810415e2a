"""qasync: call_later() and call_at() return a plain Handle

Rule:     TMR-05, TMR-06
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.call_later returns an asyncio.TimerHandle; TimerHandle.when
Expected: a TimerHandle whose when() is the deadline
Seen:     an asyncio.Handle, without when()
"""

import asyncio

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
handle = loop.call_later(1, print)
print(type(handle))
loop.close()
raise SystemExit(not isinstance(handle, asyncio.TimerHandle))
