"""qasync: set_debug(True) checks no thread

Rule:     TMR-12, THR-05
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     asyncio-dev, debug mode: call_soon and call_at from another thread raise
Expected: RuntimeError
Seen:     nothing
"""

import functools
import threading

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
loop.set_debug(True)
raised = []


def schedule():
    for call in (loop.call_soon, functools.partial(loop.call_later, 1)):
        try:
            call(print)
        except RuntimeError as error:
            raised.append(error)


def start():
    thread = threading.Thread(target=schedule)
    thread.start()
    thread.join()
    loop.stop()


loop.call_soon(start)
loop.run_forever()
print("refused:", len(raised), "of 2")
loop.close()
raise SystemExit(len(raised) < 2)
