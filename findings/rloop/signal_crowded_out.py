"""rloop: a signal is lost when many of another kind come before it

Rule:     SIG-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.add_signal_handler; signal.set_wakeup_fd, warn_on_full_buffer
Expected: the handler of SIGUSR2 runs
Seen:     it never does: some 280 bytes fit into the wake-up pipe
"""

import os
import signal

import rloop

heard = []
loop = rloop.new_event_loop()
loop.add_signal_handler(signal.SIGUSR1, heard.append, "SIGUSR1")
loop.add_signal_handler(signal.SIGUSR2, heard.append, "SIGUSR2")


def flood():
    for _ in range(500):
        os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)


loop.call_soon(flood)
loop.call_later(0.2, loop.stop)
loop.run_forever()
print("heard SIGUSR2:", "SIGUSR2" in heard)
raise SystemExit("SIGUSR2" not in heard)
