"""qasync: outside a run, the future of run_in_executor() belongs to another loop

Rule:     CAN-15, LIF-05, EXE-01, EXE-02, RES-01, RES-03
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.run_in_executor returns a Future object of the loop
Expected: a future of the loop that was asked
Seen:     asyncio.wrap_future() is given no loop, and takes the current one, which it makes
"""

import warnings

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        future = loop.run_in_executor(None, int)
        owner = future.get_loop()
    except RuntimeError as error:
        owner = error  # there is no current loop
print("the future's loop:", owner)
loop.close()
raise SystemExit(owner is not loop)
