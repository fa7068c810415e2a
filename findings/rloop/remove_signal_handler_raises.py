"""rloop: remove_signal_handler() raises AttributeError

Rule:     SIG-01, SIG-02
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.remove_signal_handler: returns whether there was a handler
Expected: True
Seen:     AttributeError: 'RLoop' object has no attribute '_is_main_thread'
"""

import signal

import rloop

loop = rloop.new_event_loop()
loop.add_signal_handler(signal.SIGUSR1, int)
try:
    print("returned:", loop.remove_signal_handler(signal.SIGUSR1))
except AttributeError as error:
    print("raised:", error)
    raise SystemExit(1) from None
