"""qasync: delays are cut to whole milliseconds, so timers are early and out of order

Rule:     TMR-01, TMR-02, TMR-03
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.call_later: the callback is called after the given number of seconds
Expected: a timer of 1.9 ms is not early, and comes after one of 1.1 ms
Seen:     both have 1 ms, and fire in the order in which they were armed
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
early, ran = [], []


def look(due):
    early.append(due - loop.time() > 0)


for _ in range(20):
    loop.call_later(0.0019, look, loop.time() + 0.0019)
    loop.call_later(0.0019, ran.append, "1.9 ms")
    loop.call_later(0.0011, ran.append, "1.1 ms")
    loop.call_later(0.02, loop.stop)
    loop.run_forever()
print("early:", sum(early), "of", len(early), "first:", ran[0])
loop.close()
raise SystemExit(any(early) or ran[0] == "1.9 ms")
