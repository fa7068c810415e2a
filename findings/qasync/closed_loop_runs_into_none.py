"""qasync: run_forever() of a closed loop raises AttributeError

Rule:     LIF-04
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.close; CPython raises RuntimeError: Event loop is closed
Expected: RuntimeError
Seen:     AttributeError of None, which the loop has in place of its application
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
loop.close()
try:
    loop.run_forever()
except Exception as error:
    seen = error
print(repr(seen))
loop.close()
raise SystemExit(not isinstance(seen, RuntimeError))
