"""qasync: run_in_executor() is taken after shutdown_default_executor()

Rule:     LIF-10
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.shutdown_default_executor: after it run_in_executor raises RuntimeError
Expected: RuntimeError
Seen:     a new executor is made
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
loop.run_until_complete(loop.shutdown_default_executor())
taken = []


def submit():
    try:
        taken.append(loop.run_in_executor(None, int))
    except RuntimeError as error:
        print(error)
    loop.call_later(0.05, loop.stop)


loop.call_soon(submit)
loop.run_forever()
print("taken:", bool(taken))
loop.close()
raise SystemExit(bool(taken))
