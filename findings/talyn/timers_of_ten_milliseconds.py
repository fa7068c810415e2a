"""talyn: timers are late by the rest of a grid of some ten milliseconds

Rule:     TMR-11
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; epoll_pwait2(2) and io_uring_enter(2) take nanoseconds
Expected: a timer of 2 ms comes within a millisecond or two
Seen:     it comes after about 10 ms
"""

import talyn

loop = talyn.Loop()
late = []
for _ in range(5):
    due = loop.time() + 0.002
    loop.call_at(due, lambda due=due: (late.append(loop.time() - due), loop.stop()))
    loop.run_forever()
print(f"late by at least {min(late) * 1000:.1f} ms")
raise SystemExit(min(late) > 0.004)
