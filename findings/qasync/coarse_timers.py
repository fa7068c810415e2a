"""qasync: a timer is up to 5 % late, and runs after others that are due 20 ms later

Rule:     TMR-11
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.call_at: callbacks are called in the order of their deadlines; Qt.TimerType: coarse timers
          keep within 5 % of the interval, and QObject.startTimer() makes those unless told otherwise
Expected: timers of 400 to 1000 ms run in the order of their deadlines
Seen:     Qt rounds each as it sees fit; startTimer(…, Qt.PreciseTimer) would not
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
order = []

for ms in range(400, 1000, 2):
    loop.call_later(ms / 1000, order.append, ms)
loop.call_later(1.5, loop.stop)
loop.run_forever()
loop.close()
behind = max(max(order[:place], default=0) - ms for place, ms in enumerate(order))
print("a timer ran after one due", behind, "ms later")
raise SystemExit(behind >= 10)
