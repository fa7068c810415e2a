"""The benchmarks there are."""

from __future__ import annotations

from .benchmark import Benchmark
from .echo import Echo
from .lateness import Lateness
from .micro import Micro
from .wakeups import Wakeups

BENCHMARKS: dict[str, type[Benchmark]] = {kind.name: kind for kind in (Lateness, Wakeups, Micro, Echo)}
