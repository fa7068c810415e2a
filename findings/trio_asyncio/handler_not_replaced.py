"""trio_asyncio: add_signal_handler() asserts that there is no handler yet

Rule:     SIG-01, SIG-02, SIG-03, SIG-07
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.add_signal_handler; CPython's loop puts the new handler in place of the old one
Expected: the second handler takes the place of the first
Seen:     AssertionError: Signal 10 is already being caught
"""

import signal

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
error = None
loop.add_signal_handler(signal.SIGUSR1, print)
try:
    loop.add_signal_handler(signal.SIGUSR1, print)
except AssertionError as caught:
    error = caught
print(repr(error))
raise SystemExit(error is not None)
