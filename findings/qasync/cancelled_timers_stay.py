"""qasync: cancelled timers stay until their deadline, and the loop wakes for each

Rule:     HEAP-01, HEAP-06
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     none; bpo-22448: CPython's loop drops them when they are too many
Expected: what is cancelled is dropped some time
Seen:     the timers of Qt and all they hold stay
"""

import sys

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)


def churn():
    for _ in range(20_000):
        loop.call_later(1000, print).cancel()


churn()
before = sys.getallocatedblocks()
churn()
more = sys.getallocatedblocks() - before
print("memory blocks of 20,000 cancelled timers:", more)
loop.close()
raise SystemExit(more > 20_000)
