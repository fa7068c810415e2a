"""Collecting garbage until finalisers have run."""

from __future__ import annotations

import gc
import sys

# PyPy calls finalisers after its collector has returned, and frees what they held in the round after.
_ROUNDS = 1 if sys.implementation.name == "cpython" else 4


def collect() -> None:
    """Collect, and let what was found be finalised."""
    for _ in range(_ROUNDS):
        gc.collect()
