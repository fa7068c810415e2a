"""qasync: a closed loop takes callbacks, and never runs them

Rule:     THR-04
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.close: the loop must not be used any more; CPython raises RuntimeError
Expected: RuntimeError
Seen:     a handle
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
loop.close()
taken = False
try:
    taken = bool(loop.call_soon(print))
except RuntimeError as error:
    print(error)
print("taken:", taken)
loop.close()
raise SystemExit(taken)
