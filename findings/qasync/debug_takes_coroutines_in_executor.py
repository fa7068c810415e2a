"""qasync: debug mode lets run_in_executor() take a coroutine

Rule:     EXC-06
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     asyncio-dev, debug mode; CPython raises TypeError: coroutines cannot be used with run_in_executor()
Expected: TypeError
Seen:     it is taken
"""

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)


async def coroutine_function():
    """Would never be awaited."""


loop.set_debug(True)
taken = []


def submit():
    try:
        taken.append(loop.run_in_executor(None, coroutine_function))
    except TypeError as error:
        print(error)
    loop.call_later(0.05, loop.stop)


loop.call_soon(submit)
loop.run_forever()
print("taken:", bool(taken))
loop.close()
raise SystemExit(bool(taken))
