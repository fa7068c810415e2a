"""How many files a process has open."""

from __future__ import annotations

import os


def open_files() -> int:
    return len(os.listdir("/proc/self/fd" if os.path.exists("/proc/self/fd") else "/dev/fd"))
