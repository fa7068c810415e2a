"""qasync: call_later(nan) is taken and runs at once

Rule:     TMR-09
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     none; a deadline that is no number cannot come
Expected: it is refused, or never runs
Seen:     it runs
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
ran = []
loop.call_later(float("nan"), ran.append, "nan")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("ran:", ran)
loop.close()
raise SystemExit(bool(ran))
