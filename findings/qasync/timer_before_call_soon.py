"""qasync: call_soon() is call_later(0), so a timer that was armed first runs first

Rule:     ORD-05
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     none; CPython looks at timers after files, and queues what is due behind the rest
Expected: call_soon, call_later(0)
Seen:     call_later(0), call_soon
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
ran = []
loop.call_later(0, ran.append, "call_later(0)")
loop.call_soon(ran.append, "call_soon")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print(*ran, sep=", ")
loop.close()
raise SystemExit(ran != ["call_soon", "call_later(0)"])
