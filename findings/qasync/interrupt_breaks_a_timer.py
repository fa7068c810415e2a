"""qasync: an interrupt in a callback makes the loop forget its timers, and the run ends with KeyError

Rule:     SIG-04
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     asyncio-runner, handling keyboard interruption: a second Ctrl-C raises KeyboardInterrupt
Expected: KeyboardInterrupt
Seen:     KeyError, the number of a timer, now and then
"""

import asyncio
import signal

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])


def press_twice():
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)


async def main():
    asyncio.get_running_loop().call_soon(press_twice)
    await asyncio.sleep(0.4)


error = None
try:
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(main())
except (KeyboardInterrupt, KeyError) as caught:
    error = caught
print(repr(error))
raise SystemExit(not isinstance(error, KeyboardInterrupt))
