"""zloop: add_signal_handler() of what is no signal raises RuntimeError

Rule:     SIG-02
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.add_signal_handler: raise ValueError if the signal number is invalid or uncatchable
Expected: ValueError
Seen:     RuntimeError: signal number out of range
"""

import zloop

loop = zloop.new_event_loop()
error = None
try:
    loop.add_signal_handler(-1, print)
except (ValueError, RuntimeError) as caught:
    error = caught
print(repr(error))
raise SystemExit(isinstance(error, RuntimeError))
