"""qasync: a loop that sleeps does not notice Ctrl-C

Rule:     SIG-08, THR-06
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     none; CPython's loop raises KeyboardInterrupt at once, and asyncio.run() cancels the main task
Expected: KeyboardInterrupt at once
Seen:     Qt sleeps on until one of its timers is due, and prints KeyboardInterrupt then
"""

import signal
import threading
import time

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
pressed = []


def press():
    pressed.append(time.monotonic())
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


signal.signal(signal.SIGINT, signal.default_int_handler)
loop.call_soon(threading.Timer(0.1, press).start)
loop.call_later(1.5, loop.stop)
try:
    loop.run_forever()
    ended = "nothing"
except KeyboardInterrupt:
    ended = "KeyboardInterrupt"
late_s = time.monotonic() - pressed[0]
loop.close()
print(f"{ended} {late_s:.1f} s after Ctrl-C")
raise SystemExit(late_s > 0.7)
