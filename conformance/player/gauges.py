"""What a process uses: open fds, threads, CPU time, memory, context switches."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path

_collecting: list[float] = []
"""CPU seconds that these readings took of themselves; on PyPy as many as a rule allows a loop at rest."""
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
# On Windows a folder of that name can be there as well, and on Wine it is, with files that are not ours.
_FDS = next((path for path in (Path("/proc/self/fd"), Path("/dev/fd")) if path.is_dir()), None)
if os.name != "posix":
    _FDS = None


def open_numbers() -> set[int]:
    """The numbers of this process's open files; none where the platform does not list them."""
    listed = os.listdir(_FDS) if _FDS is not None else []
    return {number for number in map(int, listed) if _is_open(number)}


def _is_open(number: int) -> bool:
    """False for the listing's own descriptor, which is listed and closed by now."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def read() -> dict[str, float]:
    """The gauges now; those that this platform does not have are left out."""
    before_s = time.process_time()
    gc.collect()
    _collecting.append(time.process_time() - before_s)
    gauges: dict[str, float] = {
        "cpu_s": time.process_time() - sum(_collecting),
        "wall_s": time.monotonic(),
    }
    if _FDS is not None:
        gauges["fds"] = len(open_numbers())
    tasks = Path("/proc/self/task")
    gauges["threads"] = len(os.listdir(tasks)) if tasks.is_dir() else threading.active_count()
    statm = Path("/proc/self/statm")
    if statm.exists():
        gauges["resident_bytes"] = int(statm.read_text().split()[1]) * _PAGE
    if sys.implementation.name == "cpython":
        gauges["blocks"] = sys.getallocatedblocks()
    elif stats := getattr(gc, "_get_stats", None):
        # PyPy: what survived. Resident memory says little there, a play fits into the nursery.
        gauges["heap_bytes"] = stats().total_arena_memory
    try:
        import resource
    except ImportError:
        return gauges
    # PyPy lacks the name of Linux's 1; it counts the loop's own waits, not those of the watchdog's thread.
    otherwise = 1 if sys.platform == "linux" else resource.RUSAGE_SELF
    usage = resource.getrusage(getattr(resource, "RUSAGE_THREAD", otherwise))
    gauges["waits"] = usage.ru_nvcsw
    return gauges
