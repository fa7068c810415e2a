"""uvloop: a signal that comes between add_signal_handler() and run_forever() is lost

Rule:     SIG-03
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.add_signal_handler: the handler is called for the signal
Expected: the handler runs once the loop does
Seen:     it never runs
"""

import os
import signal

import uvloop

ran = []
loop = uvloop.new_event_loop()
loop.add_signal_handler(signal.SIGUSR1, ran.append, "handled")
os.kill(os.getpid(), signal.SIGUSR1)
loop.call_later(0.1, loop.stop)
loop.run_forever()
loop.close()
print("ran:", ran)
raise SystemExit(not ran)
