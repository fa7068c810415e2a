"""qasync: a generator that is iterated after shutdown_asyncgens() gives no warning

Rule:     LIF-09
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.shutdown_asyncgens: a generator that is iterated afterwards gives a warning
Expected: ResourceWarning
Seen:     none: run_forever() installs no hooks for generators
"""

import warnings

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)


async def numbers():
    yield 1


async def iterate():
    async for _ in numbers():
        """One step is enough."""


loop.run_until_complete(loop.shutdown_asyncgens())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loop.run_until_complete(iterate())
warned = [str(warning.message) for warning in caught if warning.category is ResourceWarning]
print("warned:", warned)
loop.close()
raise SystemExit(not warned)
