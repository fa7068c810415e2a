"""zloop: asynchronous generators are not looked after

Rule:     LIF-09
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.shutdown_asyncgens: a generator that is iterated afterwards gives a warning
Expected: ResourceWarning
Seen:     none: zloop installs no hooks for generators, and shutdown_asyncgens() does nothing
"""

import warnings

import zloop

loop = zloop.new_event_loop()


async def numbers():
    yield 1


async def iterate():
    async for _ in numbers():
        """One step is enough."""


loop.run_until_complete(loop.shutdown_asyncgens())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loop.run_until_complete(iterate())
warned = [str(warning.message) for warning in caught if warning.category is ResourceWarning]
print("warned:", warned)
raise SystemExit(not warned)
