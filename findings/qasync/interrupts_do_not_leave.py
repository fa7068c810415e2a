"""qasync: SystemExit in a callback ends the process, KeyboardInterrupt is swallowed

Rule:     EXC-03, LIF-07
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     none; CPython's run_forever() passes both on to its caller, and can be called again
Expected: run_forever() raises what the callback raised
Seen:     KeyboardInterrupt is printed and the run goes on; SystemExit ends the process inside Qt
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)


def interrupt():
    raise KeyboardInterrupt


raised = None
loop.call_soon(interrupt)
loop.call_later(0.1, loop.stop)
try:
    loop.run_forever()
except KeyboardInterrupt as error:
    raised = error
print("raised:", repr(raised))
loop.close()
raise SystemExit(raised is None)
