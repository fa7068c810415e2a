"""qasync: stop() before run_forever() is forgotten, and the run goes on

Rule:     LIF-01, LIF-03
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.run_forever: after a stop() it polls once with a timeout of 0, and returns
Expected: the run returns at once
Seen:     it goes on until something else stops it
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
went_on = []
loop.stop()
loop.call_later(0.2, lambda: (went_on.append(1), loop.stop()))
loop.run_forever()
print("went on:", bool(went_on))
loop.close()
raise SystemExit(bool(went_on))
