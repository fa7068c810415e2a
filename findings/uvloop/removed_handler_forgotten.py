"""uvloop: remove_signal_handler() outside a run says that there was no handler

Rule:     SIG-02
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.remove_signal_handler: True if the handler was removed, False if none was set
Expected: True
Seen:     False
"""

import signal

import uvloop

loop = uvloop.new_event_loop()
loop.add_signal_handler(signal.SIGUSR1, print)
said = loop.remove_signal_handler(signal.SIGUSR1)
loop.close()
print("said:", said)
raise SystemExit(said is not True)
