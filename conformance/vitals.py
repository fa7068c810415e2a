"""What another process takes: memory and CPU time, as Linux tells in proc(5); nothing is known elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_USER_TIME = 11
"""Of the fields of stat that follow the name of the command, the place of utime; stime is next."""


def resident_bytes(pid: int) -> int:
    """The memory that a process holds; 0 when that cannot be known."""
    fields = _read(pid, "statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def cpu_s(pid: int) -> float:
    """The CPU time that a process has had, in seconds; 0 when that cannot be known."""
    # The name of a command may itself hold blanks and brackets.
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[_USER_TIME : _USER_TIME + 2])) / _TICKS


def busy_s(pid: int) -> float:
    """The time that the main thread of a process ran, or could have run had a CPU been free, in seconds.

    That is its CPU time where the kernel does not count how long threads wait for a CPU.
    """
    fields = _read(pid, "schedstat").split()
    return sum(map(int, fields[:2])) / 1e9 if len(fields) > 1 else cpu_s(pid)


def _read(pid: int, name: str) -> str:
    try:
        return Path("/proc", str(pid), name).read_text()
    except (OSError, ValueError):
        return ""
