"""rloop: a signal that comes before the loop runs is lost

Rule:     SIG-03
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.add_signal_handler; CPython hears it in the next run (test_events)
Expected: the handler runs
Seen:     it never does: the wake-up pipe is made when the run begins
"""

import os
import signal

import rloop

heard = []
loop = rloop.new_event_loop()
loop.add_signal_handler(signal.SIGUSR1, heard.append, "SIGUSR1")
os.kill(os.getpid(), signal.SIGUSR1)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("heard:", heard)
raise SystemExit(not heard)
