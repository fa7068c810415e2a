"""zloop: a loop that sleeps does not notice Ctrl-C, nor any other signal that Python handles

Rule:     SIG-04, SIG-08, THR-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     asyncio-runner, Handling Keyboard Interruption; signal: Python's handlers run in the main thread
Expected: run_forever() raises KeyboardInterrupt at once
Seen:     it sleeps on until a timer is due, and goes on after that
"""

import signal
import threading
import time

import zloop

loop = zloop.new_event_loop()
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
print(f"{ended} {late_s:.1f} s after Ctrl-C")
raise SystemExit(late_s > 0.7)
