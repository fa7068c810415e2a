"""talyn: add_signal_handler() takes what cannot be caught

Rule:     SIG-02
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.add_signal_handler: raise ValueError if the signal number is invalid or uncatchable
Expected: ValueError
Seen:     nothing
"""

import signal

import talyn

loop = talyn.Loop()
error = None
try:
    loop.add_signal_handler(signal.SIGKILL, print)
except (ValueError, RuntimeError) as caught:
    error = caught
print(repr(error))
raise SystemExit(error is None)
