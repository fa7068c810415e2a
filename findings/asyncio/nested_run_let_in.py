"""asyncio: the second nested run_forever() is let in

Rule:     LIF-06
Versions: CPython 3.13.0 to 3.13.2; gh-130145, mended in 3.13.3
Docs:     loop.run_forever: a loop that runs already refuses with RuntimeError (test_base_events)
Expected: RuntimeError, each time
Seen:     the first refusal forgets the outer run; the second nested run is let in
"""

import asyncio

refused = []
loop = asyncio.SelectorEventLoop()


def nested():
    for _ in range(2):
        loop.call_later(0.01, loop.stop)
        try:
            loop.run_forever()
        except RuntimeError as error:
            refused.append(error)


loop.call_soon(nested)
loop.call_later(0.1, loop.stop)
loop.run_forever()
print("refused:", len(refused), "of 2")
raise SystemExit(len(refused) < 2)
