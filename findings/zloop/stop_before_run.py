"""zloop: stop() before run_forever() is forgotten, and the run goes on

Rule:     LIF-01, LIF-03
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.run_forever: a stop() before it lets one poll with a timeout of 0 be made
Expected: the run returns at once
Seen:     it goes on until something else stops it
"""

import zloop

went_on = []
loop = zloop.new_event_loop()
loop.stop()
loop.call_later(0.2, lambda: (went_on.append(1), loop.stop()))
loop.run_forever()
print("went on:", bool(went_on))
raise SystemExit(bool(went_on))
