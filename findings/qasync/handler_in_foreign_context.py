"""qasync: the exception handler does not run in the context of what failed

Rule:     EXC-04
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.set_exception_handler: since 3.12 the handler is called in the context of the task or handle
Expected: the handler sees the variable as the task set it
Seen:     it sees the default
"""

import contextvars
import gc

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
variable = contextvars.ContextVar("variable", default="unset")
seen = []
loop.set_exception_handler(lambda *_: seen.append(variable.get()))


async def fail():
    variable.set("set")
    raise ValueError


task = loop.create_task(fail())
loop.call_later(0.05, loop.stop)
loop.run_forever()
del task
gc.collect()
print("the handler sees:", *seen)
loop.close()
raise SystemExit(seen != ["set"])
