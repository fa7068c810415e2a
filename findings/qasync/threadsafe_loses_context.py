"""qasync: call_soon_threadsafe() drops the context

Rule:     ORD-11
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     asyncio-eventloop, scheduling callbacks: the current context is used when no context is given
Expected: the callback sees the variable as it was set when it was scheduled, and as it is in context=
Seen:     neither
"""

import contextvars

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
variable = contextvars.ContextVar("variable", default="unset")
seen = []


def schedule():
    variable.set("set")
    loop.call_soon_threadsafe(lambda: seen.append(variable.get()))


context = contextvars.copy_context()
context.run(schedule)
loop.call_soon_threadsafe(lambda: seen.append(variable.get()), context=context)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("the callbacks see:", *seen)
loop.close()
raise SystemExit(seen != ["set", "set"])
