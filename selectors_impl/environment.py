"""The environment variables that muxloop obeys."""

from __future__ import annotations

import os

from ..errors import UsageError


def read_variable(name: str) -> str:
    """The value of a variable; empty when it is not set, or when the process runs with another's rights.

    Under setuid the environment is the caller's, and ``module:Class`` in it would run the caller's code.
    """
    if hasattr(os, "getuid") and (os.getuid() != os.geteuid() or os.getgid() != os.getegid()):
        return ""
    return os.environ.get(name, "")


def is_switched_on(name: str) -> bool:
    """Whether a variable is 1, and not 0, empty or unset. UsageError for anything else."""
    value = read_variable(name)
    if value not in {"", "0", "1"}:
        raise UsageError(f"{name}={value!r}: write 1 to switch it on, 0 or nothing to leave it off")
    return value == "1"
