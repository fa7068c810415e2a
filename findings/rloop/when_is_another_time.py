"""rloop: when() is not the deadline that call_at() was given

Rule:     TMR-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     TimerHandle.when: the scheduled callback time, as absolute time on the clock of loop.time()
Expected: exactly the number given
Seen:     some microseconds later
"""

import rloop

loop = rloop.new_event_loop()
deadlines = [loop.time() + delay / 1000 for delay in range(1, 20)]
wrong = [when for when in deadlines if loop.call_at(when, print).when() != when]
print(f"{len(wrong)} of {len(deadlines)} say another time")
raise SystemExit(bool(wrong))
