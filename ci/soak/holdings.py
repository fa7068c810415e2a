"""What a process holds when it is at rest, and what it holds more than before."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from ledger import Soak

# Bounds on what may grow in a sound process: caches, and memory that lies in pieces.
_OBJECTS_OF_A_TYPE = 200
_MEMORY_KIB = (128 if sys.implementation.name == "pypy" else 16) * 1024  # PyPy compiles what is used much

_REST_S = 0.5
_IDLE_CPU_MS = 50
_IDLE_WAITS = 4  # one to arm the timer that ends the rest, and one that it ends


@dataclass(frozen=True)
class Holdings:
    """A count of all that could leak."""

    descriptors: int = 0
    threads: int = 0
    children: int = 0
    registrations: int = 0
    tasks: int = 0
    memory_kib: int = 0
    objects: Counter[str] = field(default_factory=Counter)

    def differences(self, before: Holdings) -> Iterator[str]:
        """What is not as it was, of all that is exactly known."""
        for name in ("descriptors", "threads", "children", "registrations", "tasks"):
            was, now = getattr(before, name), getattr(self, name)
            if was != now:
                yield f"{name}: {was} before, {now} after"

    def grown_beyond(self, before: Holdings) -> Iterator[str]:
        """The differences, and what has grown by more than caches and scattered memory explain."""
        yield from self.differences(before)
        for kind, now in self.objects.most_common():
            was = before.objects[kind]
            if now - was > _OBJECTS_OF_A_TYPE + was // 10:
                yield f"objects of type {kind}: {was} before, {now} after"
        if self.memory_kib - before.memory_kib > _MEMORY_KIB:
            yield f"memory: {before.memory_kib} KiB before, {self.memory_kib} KiB after"


def take_stock(soak: Soak) -> Holdings:
    """Count, after all that is not held has been freed."""
    for _ in range(3):
        gc.collect()
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    return Holdings(
        descriptors=open_descriptors(),
        threads=threading.active_count(),
        children=_children(),
        registrations=len(soak.selector.get_map()),
        tasks=len(asyncio.all_tasks(soak.loop) - {asyncio.current_task(soak.loop)}),
        memory_kib=_memory_kib(),
        objects=Counter(type(thing).__qualname__ for thing in gc.get_objects()),
    )


def open_descriptors() -> int:
    """How many there are, but for the one that the counting takes."""
    return len(os.listdir("/proc/self/fd")) - 1


@dataclass(frozen=True)
class Rest:
    """What a loop did in half a second in which it had nothing to do."""

    cpu_ms: float = 0.0
    waits: int = 0

    def too_much(self) -> Iterator[str]:
        """What is more than nothing, each in a few words."""
        if self.waits > _IDLE_WAITS:
            yield f"idle wake-ups: {self.waits} in {_REST_S} s, {_IDLE_WAITS} allowed"
        if self.cpu_ms > _IDLE_CPU_MS:
            yield f"idle CPU: {self.cpu_ms:.0f} ms in {_REST_S} s, {_IDLE_CPU_MS} ms allowed"


async def rest(waits: Counter[str]) -> Rest:
    """Do nothing for half a second, of which the end is the only event."""
    await asyncio.sleep(0)
    waits_before, cpu_before = waits["select"], time.process_time()
    await asyncio.sleep(_REST_S)
    return Rest((time.process_time() - cpu_before) * 1e3, waits["select"] - waits_before)


def _children() -> int:
    """Processes that were started and have not been waited for."""
    found = 0
    for task in os.listdir("/proc/self/task"):
        # A thread may end meanwhile; a kernel can be built without this file.
        with suppress(FileNotFoundError), open(f"/proc/self/task/{task}/children") as file:
            found += len(file.read().split())
    return found


def _memory_kib() -> int:
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
