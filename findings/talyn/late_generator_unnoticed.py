"""talyn: a generator that is iterated after shutdown_asyncgens() gives no warning

Rule:     LIF-09
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.shutdown_asyncgens: a generator that is iterated afterwards gives a warning
Expected: ResourceWarning
Seen:     none
"""

import warnings

import talyn

loop = talyn.Loop()


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
