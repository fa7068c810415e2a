"""zloop: a flood of one signal crowds out another

Rule:     SIG-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     signal.set_wakeup_fd: a byte that cannot be written is lost
Expected: each kind of signal that came is handled
Seen:     the pipe is full of the one, and the other is lost
"""

import signal

import zloop

loop = zloop.new_event_loop()
seen = []
loop.add_signal_handler(signal.SIGUSR1, int)
loop.add_signal_handler(signal.SIGUSR2, seen.append, "SIGUSR2")


def flood():
    for _ in range(500):
        signal.raise_signal(signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR2)


loop.call_soon(flood)
loop.call_later(0.2, loop.stop)
loop.run_forever()
print("seen:", seen)
raise SystemExit(not seen)
