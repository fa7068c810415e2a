"""``python ci/stress``: large loads on each backend, one after the other, in a process for each backend.

Prints a line for each load and backend, and at its end whether descriptors, threads and memory are back
where they began. Exit codes: 0 all are, and nothing was lost; 1 otherwise; 2 bad usage.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import os
import pkgutil
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loads import LOADS
from muxloop import backends, open_selector

_LOOP = "muxloop:EventLoop"
_LIMIT_S = 600.0
_SELECT_CONNECTIONS = 480  # both ends have a number, which must stay below FD_SETSIZE
_AT_FIRST = 5_000  # what is made once and kept is made by a load that is not counted
# Bounds on what may grow in a sound process: caches, and memory that lies in pieces.
_MEMORY_KIB = 16 * 1024
_BLOCKS = 10_000


def held() -> tuple[int, int, int, int]:
    """Descriptors, threads, KiB of memory, and blocks in use of it, after all that is not held was freed."""
    for _ in range(3):
        gc.collect()
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    kib = pages * os.sysconf("SC_PAGE_SIZE") // 1024
    blocks = getattr(sys, "getallocatedblocks", int)()  # PyPy cannot tell
    return len(os.listdir("/proc/self/fd")), threading.active_count(), kib, blocks


async def play(backend: str, names: Sequence[str], scale: float) -> bool:
    """Put this process's loop under the loads; whether it ended as it began."""
    well = True
    for name in names:
        load, count = LOADS[name]
        count = max(1, int(count * scale))
        if name == "connections" and backend == "select":
            count = min(count, _SELECT_CONNECTIONS)
        try:
            await asyncio.wait_for(load(min(count, _AT_FIRST)), _LIMIT_S)
            before = held()
            started, cpu = time.monotonic(), time.process_time()
            told = await asyncio.wait_for(load(count), _LIMIT_S)
        except Exception as error:
            print(f"{backend:8} {name:12} FAILED: {type(error).__name__}: {error}", flush=True)
            return False
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
        after = held()
        same = (
            before[:2] == after[:2]
            and after[2] - before[2] <= _MEMORY_KIB
            and after[3] - before[3] <= _BLOCKS
        )
        well = well and same
        verdict = "ok" if same else "DIFFERS"
        print(
            f"{backend:8} {name:12} {verdict}: {told} in {seconds:.1f} s ({cpu:.1f} s of CPU); "
            f"descriptors {before[0]} -> {after[0]}, threads {before[1]} -> {after[1]}, "
            f"memory {before[2] / 1024:.1f} -> {after[2] / 1024:.1f} MiB in {before[3]} -> {after[3]} blocks",
            flush=True,
        )
    return well


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for and return the exit code."""
    available = [backend.name for backend in backends() if backend.available and backend.source == "built in"]
    parser = argparse.ArgumentParser(prog="ci/stress.sh", description=__doc__, allow_abbrev=False)
    parser.add_argument("loads", metavar="LOAD", nargs="*", help=f"{', '.join(LOADS)}; all if not given")
    parser.add_argument("--backend", action="append", choices=available, help="this one; can be given again")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times as much")
    parser.add_argument("--loop", metavar="MODULE:CLASS", default=_LOOP, help="one that takes a selector")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    for name in options.loads:
        if name not in LOADS:
            parser.error(f"there is no load {name!r}: {', '.join(LOADS)}")
    if not Path("/proc/self/fd").exists():
        parser.error(f"{sys.platform} has no /proc/self/fd, where it is counted; run it on Linux")
    if options.here:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        (backend,) = options.backend
        loop_class = pkgutil.resolve_name(options.loop)
        with asyncio.Runner(loop_factory=lambda: loop_class(open_selector(backend))) as runner:
            return 0 if runner.run(play(backend, options.loads, options.scale)) else 1
    codes = []
    for backend in options.backend or available:
        command = [sys.executable, Path(__file__).parent, "--here", "--backend", backend]
        command += ["--loop", options.loop, "--scale", str(options.scale), *(options.loads or LOADS)]
        codes.append(subprocess.run(command, check=False).returncode)
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
