"""asyncio: a signal is lost when many of another kind came before the loop looked

Rule:     SIG-06
Versions: CPython 3.11 to 3.15, POSIX; gh-156054
Docs:     loop.add_signal_handler: the handler is called for the signal; signal.set_wakeup_fd
Expected: both handlers are called, however often each
Seen:     each signal is a byte in the self-pipe; when that is full, the one of SIGUSR2 is dropped
"""

import asyncio
import os
import signal

ran = []
loop = asyncio.SelectorEventLoop()
loop.add_signal_handler(signal.SIGUSR1, ran.append, "SIGUSR1")
loop.add_signal_handler(signal.SIGUSR2, ran.append, "SIGUSR2")


def storm():
    for number in [signal.SIGUSR1] * 1000 + [signal.SIGUSR2]:
        os.kill(os.getpid(), number)
    loop.call_later(0.1, loop.stop)


loop.call_soon(storm)
loop.run_forever()
print("handled:", {name: ran.count(name) for name in ("SIGUSR1", "SIGUSR2")})
raise SystemExit("SIGUSR2" not in ran)
