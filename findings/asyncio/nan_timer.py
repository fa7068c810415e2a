"""asyncio: call_later(nan) is taken, breaks the order of the timers, and runs

Rule:     TMR-09
Versions: CPython 3.11 to 3.15, every platform
Docs:     loop.call_later and loop.call_at take a number of seconds; NaN compares false with every deadline
Expected: ValueError when it is armed, or a timer that never runs
Seen:     it runs at once, or ends the run with ValueError; timers beside it come out of order
"""

import asyncio

seen = []
loop = asyncio.SelectorEventLoop()
try:
    loop.call_later(float("nan"), seen.append, "it ran")
except (ValueError, OverflowError):
    print("refused")
    raise SystemExit(0) from None
loop.call_later(0.01, loop.stop)
try:
    loop.run_forever()
except ValueError as error:
    seen.append(f"the run ended with {error!r}")
print(seen)
raise SystemExit(bool(seen))
