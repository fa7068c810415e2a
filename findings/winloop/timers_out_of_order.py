"""winloop: timers within one millisecond fire in the order of arming, not of their deadlines

Rule:     TMR-02, TMR-03
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.call_later and call_at: the callback is called at the given time
Expected: the one that is due first runs first
Seen:     both are rounded to the same millisecond, and run as they were armed
"""

import time

import winloop

ran = []
loop = winloop.new_event_loop()
for _ in range(20):
    loop.call_later(0.0009, ran.append, "later")
    loop.call_later(0.0006, ran.append, "sooner")
    time.sleep(0.005)  # both are overdue: nothing but their deadlines tells them apart
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
loop.close()
wrong = sum(first == "later" for first in ran[::2])
print(f"the later one came first {wrong} times of 20")
raise SystemExit(wrong > 0)
