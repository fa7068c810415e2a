"""What a figure means nothing without: when, where and beside what it was measured."""

from __future__ import annotations

import os
import platform
import sys
import time
from typing import Any

from . import contestants


def environment() -> dict[str, Any]:
    """Date, machine, kernel and versions, as plain data."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": sys.platform,
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": load(),
        "versions": contestants.versions(),
    }


def load() -> float | None:
    """Processes that ran or wanted to during the last minute; None where the system does not count them."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def in_words(found: dict[str, Any]) -> str:
    """One line for people."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items() if version)
    return (
        f"{found['date']}, {found['python']}, {found['kernel']} on {found['machine']}, {found['cpus']} CPUs,"
        f" load {found['load']} before, {found.get('load_after')} after; {versions}"
    )
