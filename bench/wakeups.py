"""What a wake-up costs a selector that watches many files, and what a change of its registrations costs.

Both ends of pairs of sockets are registered for reading. In each turn some of them are sent a byte, which
is not measured; ``select()`` is; what it reports is read, which is not measured either. Registration is the
CPU time of unregistering, registering and modifying all files one by one, each followed by one
``select(0)``: a selector may hand its changes to the kernel with the next wait.
"""

from __future__ import annotations

import gc
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import Any, ClassVar, TypeVar

from ..errors import UsageError
from . import contestants
from .benchmark import Answer, Benchmark, Measure, Measured, Request, Table
from .comparison import comparison_records, comparison_tables

T = TypeVar("T")

_FILES = 20_000
_QUICK_FILES = 300
_SPARE = 64  # descriptors that a process needs besides the watched ones

# FD_SETSIZE is 1,024 on most systems; Windows counts 512 sockets.
_MOST_FOR_SELECT = 500 if sys.platform == "win32" else 1000


@dataclass(frozen=True)
class Wakeups(Benchmark):
    """The cost of ``select()`` and of registrations with many files registered."""

    name: ClassVar[str] = "wakeups"
    summary: ClassVar[str] = "what a wake-up costs with many files registered"
    full_rounds: ClassVar[int] = 15

    files: int = 0
    """Files registered; 0: 20,000, or as many as this process may open."""

    def __post_init__(self) -> None:
        """UsageError, naming the limit, if so many files cannot be open at once."""
        if self.files:
            if self.files < 2:
                raise UsageError(f"--files {self.files}: give a number of files to watch, 2 or more")
            room = _room_for(self.files)
            if self.files > room:
                raise UsageError(
                    f"--files {self.files}: this process may open {room + _SPARE} files (RLIMIT_NOFILE), and"
                    f" needs {_SPARE} for itself; give --files {room}, or raise the limit (ulimit -Hn)"
                )
        else:
            wanted = _QUICK_FILES if self.quick else _FILES
            object.__setattr__(self, "files", min(wanted, _room_for(wanted)))

    def contestants(self) -> list[contestants.Contestant]:
        """All selectors."""
        return contestants.selectors_of_all()

    def requests(self) -> list[Request]:
        """Wake-ups for 100 files and for one, with a time limit too, and changes of all registrations."""
        many, few = (2, 2) if self.quick else (20, 50)
        return [
            {"case": "wake-up", "ready": 100, "timeout_s": None, "turns": many},
            {"case": "wake-up", "ready": 1, "timeout_s": None, "turns": few},
            {"case": "wake-up", "ready": 1, "timeout_s": 10, "turns": few},
            {"case": "registration"},
        ]

    @contextmanager
    def enter(self, contestant: str) -> Iterator[Measure]:
        """A selector that watches the files."""
        files = min(self.files, _MOST_FOR_SELECT) if "select" in _mechanism(contestant) else self.files
        with ExitStack() as cleanup:
            selector = cleanup.enter_context(contestants.open_selector(contestant))
            pairs = [socket.socketpair() for _ in range(files // 2)]
            for end in (end for pair in pairs for end in pair):
                cleanup.callback(end.close)
                end.setblocking(False)
                selector.register(end, EVENT_READ)
            # Collections go through what the benchmark holds otherwise, at moments of their own.
            gc.collect()
            if hasattr(gc, "freeze"):  # PyPy has none
                gc.freeze()

            def measure(request: Request) -> Answer:
                if request["case"] == "registration":
                    return {"files": len(pairs) * 2, **_registrations(selector, pairs)}
                ready = min(request["ready"], len(pairs))
                chosen = pairs[:: len(pairs) // ready][:ready]
                wait = partial(selector.select, request["timeout_s"])
                return {"files": len(pairs) * 2, **_wake_ups(wait, chosen, request["turns"])}

            yield measure

    def summarise(self, measured: Sequence[Measured]) -> list[dict[str, Any]]:
        """Medians and spread over the rounds, and the ratio to the standard library's selector."""
        return comparison_records(
            measured, _case, lambda name: contestants.standard_selector(_mechanism(name))
        )

    def tables(self, records: Sequence[dict[str, Any]]) -> list[Table]:
        """One for each case."""
        return comparison_tables(records, ("selector", "files"), "to stdlib")


def _case(request: Request) -> str:
    if request["case"] == "registration":
        return "registration"
    limit = "" if request["timeout_s"] is None else f", timeout {request['timeout_s']} s"
    return f"wake-up for {request['ready']} ready{limit}"


def _mechanism(contestant: str) -> str:
    return contestant.rpartition(":")[2].removesuffix("Selector").lower()


def _wake_ups(
    wait: Callable[[], list[tuple[SelectorKey, int]]],
    pairs: Sequence[tuple[socket.socket, socket.socket]],
    turns: int,
) -> Answer:
    """Wall and CPU time of one ``select()``: medians of the turns, less what looking at the clocks takes."""
    cpu_us, wall_us = [], []
    _, looking_cpu_us, looking_wall_us = zip(*(_timed(int) for _ in range(50)), strict=True)
    for _ in range(turns):
        for ours, _ in pairs:
            ours.send(b"x")
        ready, cpu, wall = _timed(wait)
        for key, _ in ready:
            key.fileobj.recv(16)  # type: ignore[union-attr]
        if len(ready) != len(pairs):
            raise AssertionError(f"{len(ready)} files were reported ready instead of {len(pairs)}")
        cpu_us.append(cpu)
        wall_us.append(wall)
    return {
        "wall_us": statistics.median(wall_us) - statistics.median(looking_wall_us),
        "cpu_us": statistics.median(cpu_us) - statistics.median(looking_cpu_us),
    }


def _registrations(selector: BaseSelector, pairs: Sequence[tuple[socket.socket, socket.socket]]) -> Answer:
    _, *ends = [end for pair in pairs for end in pair]  # one stays: Winsock waits for no empty sets
    # There and back for each file, or the wait after it would report that all can be written to.
    steps: dict[str, list[Callable[[socket.socket], object]]] = {
        "unregister": [selector.unregister],
        "register": [lambda end: selector.register(end, EVENT_READ)],
        "modify": [
            lambda end: selector.modify(end, EVENT_READ | EVENT_WRITE),
            lambda end: selector.modify(end, EVENT_READ),
        ],
    }
    answer = {}
    for name, changes in steps.items():

        def change_all(changes: list[Callable[[socket.socket], object]] = changes) -> None:
            for end in ends:
                for change in changes:
                    change(end)
            selector.select(0)

        _, cpu_us, _ = _timed(change_all)
        answer[f"{name}_us"] = cpu_us / len(ends) / len(changes)
    return answer


def _timed(step: Callable[[], T]) -> tuple[T, float, float]:
    """What a step returns, and the µs of CPU of this thread and of the wall's clock that it takes."""
    cpu = time.thread_time_ns()
    wall = time.perf_counter_ns()
    result = step()
    wall = time.perf_counter_ns() - wall
    cpu = time.thread_time_ns() - cpu
    return result, cpu / 1e3, wall / 1e3


def _room_for(files: int) -> int:
    """How many files can be watched, at most ``files``; raises the limit of open files as far as need be."""
    if sys.platform == "win32":
        return files
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = files + _SPARE
    if soft != resource.RLIM_INFINITY and soft < needed:
        for limits in ((needed, max(needed, hard)), (hard, hard)):
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                break
            except (ValueError, OSError):
                continue
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(files, soft - _SPARE)
