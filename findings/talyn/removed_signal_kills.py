"""talyn: a signal that waits while its handler is removed ends the process

Rule:     SIG-01, SIG-03, SIG-07
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.remove_signal_handler; loop.add_signal_handler
Expected: the signal came while it was handled, and is handled
Seen:     the process dies: the signal was blocked, and remove_signal_handler() lets it through
"""

import os
import signal

import talyn

child = os.fork()
if child == 0:
    loop = talyn.Loop()
    loop.add_signal_handler(signal.SIGUSR2, print)
    os.kill(os.getpid(), signal.SIGUSR2)
    loop.remove_signal_handler(signal.SIGUSR2)
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGUSR2)
