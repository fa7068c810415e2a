"""Children that end at once, close the loop they were born with, or run a new one; and programs."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import traceback
import warnings
from contextlib import suppress

from descriptors import pipes
from ledger import FaultError, Soak

_CHILD_S = 60


async def forks(soak: Soak, rng: random.Random) -> None:
    """What a child does with the loop of its parent, the parent does not notice."""
    manner = rng.choice((_leave, _close, _live))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there are other threads; the child starts none
        child = os.fork()
    if not child:
        _be_a_child(soak, random.Random(rng.random()), manner)
    try:
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        raise
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise FaultError(f"forks: the child that was to {manner.__name__.strip('_')} ended with code {code}")
    soak.messages += 1


def _be_a_child(soak: Soak, rng: random.Random, manner: object) -> None:
    """Never returns: a child that went on would be a second soak."""
    code = 1
    soak.faults.clear()
    warnings.simplefilter("ignore")  # coroutines that its copy of the loop will not start
    try:
        signal.alarm(_CHILD_S)
        assert callable(manner)
        manner(soak, rng)
        if soak.faults:
            print(*soak.faults, sep="\n", file=sys.stderr, flush=True)
        else:
            code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _leave(soak: Soak, rng: random.Random) -> None:
    pass


def _close(soak: Soak, rng: random.Random) -> None:  # noqa: ARG001 - all manners are called alike
    soak.loop.close()


def _live(soak: Soak, rng: random.Random) -> None:
    """A loop of its own, on the same backend."""
    soak.loop.close()
    soak.loop = soak.new_loop()

    async def main() -> None:
        await asyncio.gather(pipes(soak, rng), asyncio.sleep(0.001))

    try:
        soak.loop.run_until_complete(main())
    finally:
        soak.loop.close()


_LIST_OPEN = """
import os
for name in os.listdir("/proc/self/fd"):
    if os.path.exists("/proc/self/fd/" + name):  # not that of the listing itself
        print(name)
"""


async def programs(soak: Soak, rng: random.Random) -> None:  # noqa: ARG001 - all activities are called alike
    """A program gets nothing but its standard files: everything that the loop opens is close-on-exec."""

    def start() -> str:
        return subprocess.run(
            [sys.executable, "-S", "-E", "-c", _LIST_OPEN],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            close_fds=False,
        ).stdout

    inherited = set(map(int, (await asyncio.to_thread(start)).split())) - {0, 1, 2}
    if inherited:
        raise FaultError(f"programs: one inherited the descriptors {sorted(inherited)}")
    soak.messages += 1
