"""trio_asyncio: call_later() asserts that the delay is not negative, and a number

Rule:     TMR-05, TMR-09
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.call_later; CPython, uvloop: a deadline that has passed is due at once
Expected: the callback runs as soon as possible
Seen:     AssertionError
"""

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
ran = []
try:
    loop.call_later(-0.001, ran.append, 1)
except AssertionError as error:
    print(repr(error))
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("ran:", bool(ran))
raise SystemExit(not ran)
