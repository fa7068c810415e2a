"""How a planted fault shows: a few lines of plain asyncio each, and what a sound loop or selector answers.

A symptom is a function `(subject, patience_s) -> observation`. `patience_s` says how long to wait for what a
sound subject does at once: long for a sound one, so that a busy machine fails nobody, short for a faulty one.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from faulty_base import SteppedLoop

Observe = Callable[[Any, float], object]


@dataclass(frozen=True, eq=False)
class Symptom:
    """What to do, what a sound subject answers, and which sound subjects to ask."""

    observe: Observe
    right: object
    sound: tuple[Callable[[], Any], ...]


SYMPTOMS: dict[str, Symptom] = {}


SOUND_LOOPS: tuple[Callable[[], Any], ...] = (asyncio.SelectorEventLoop, SteppedLoop)


def shows(
    *faults: str,
    right: object,
    sound: tuple[Callable[[], Any], ...] = SOUND_LOOPS,
) -> Callable[[Observe], Observe]:
    """Enter a symptom for the named faults."""

    def enter(observe: Observe) -> Observe:
        SYMPTOMS.update(dict.fromkeys(faults, Symptom(observe, right, sound)))
        return observe

    return enter


def run(loop: asyncio.AbstractEventLoop, patience_s: float) -> bool:
    """Run until somebody stops the loop; false when patience, kept by a timer of the loop, ran out first."""
    ran_out: list[bool] = []

    def give_up() -> None:
        ran_out.append(True)
        loop.stop()

    timer = loop.call_later(patience_s, give_up)
    loop.run_forever()
    timer.cancel()
    return not ran_out


def at_rest(loop: asyncio.AbstractEventLoop) -> str:
    """Whether the loop takes no CPU time, nothing being due: "at rest", or "busy"."""
    started_s = time.thread_time()
    loop.call_later(0.2, loop.stop)
    loop.run_forever()
    return "busy" if time.thread_time() - started_s > 0.05 else "at rest"


def run_watched(loop: asyncio.AbstractEventLoop, patience_s: float) -> None:
    """Run until somebody stops the loop; patience is kept by a thread, for loops that lose timers."""
    watchdog = threading.Timer(patience_s, loop.call_soon_threadsafe, [loop.stop])
    watchdog.start()
    loop.run_forever()
    watchdog.cancel()
    watchdog.join()


def turn(loop: asyncio.AbstractEventLoop, times: int = 3) -> None:
    """Run a few turns without waiting."""
    for _ in range(times):
        loop.call_soon(loop.stop)
        loop.run_forever()


@contextmanager
def socket_pairs(number: int) -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Connected, non-blocking pairs of sockets."""
    pairs = [socket.socketpair() for _ in range(number)]
    for pair in pairs:
        for end in pair:
            end.setblocking(False)
    try:
        yield pairs
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


def count_polls(loop: Any) -> list[float | None]:
    """A list that grows by the timeout of each poll; the reference loop's selector is listened to."""
    polls: list[float | None] = []
    select = loop._selector.select

    def counted(timeout: float | None = None) -> Any:
        polls.append(timeout)
        return select(timeout)

    loop._selector.select = counted
    return polls


def error_of(call: Callable[..., object], *args: Any) -> str:
    """The name of the exception a call raises, or "none"."""
    try:
        call(*args)
    except Exception as error:
        return type(error).__name__
    return "none"
