"""asyncio: add_signal_handler(SIGKILL) raises RuntimeError where the docs promise ValueError

Rule:     SIG-02
Versions: CPython 3.11 to 3.15, POSIX
Docs:     loop.add_signal_handler: ValueError if the number is invalid or uncatchable
Expected: ValueError
Seen:     RuntimeError: sig 9 cannot be caught
"""

import asyncio
import signal

loop = asyncio.SelectorEventLoop()
try:
    loop.add_signal_handler(signal.SIGKILL, print)
except (ValueError, RuntimeError) as error:
    print("raised:", repr(error))
    raise SystemExit(not isinstance(error, ValueError)) from None
