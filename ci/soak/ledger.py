"""The books of a soak: what was sent and must arrive, what was done, and what went wrong."""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_HEADER = struct.Struct(">IQ")
_MOST_FAULTS = 20


class FaultError(Exception):
    """A promise of the loop or of a selector was broken."""


class Numbered:
    """A stream of numbered messages: none may be lost, come twice, overtake another or be spoiled."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent = 0
        self.received = 0
        self._rest = bytearray()

    def next(self, size: int) -> bytes:
        """The next message, with *size* bytes besides its header."""
        number, self.sent = self.sent, self.sent + 1
        return _HEADER.pack(size, number) + bytes([number & 0xFF]) * size

    def feed(self, data: bytes) -> None:
        """Take what has arrived, cut anywhere."""
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            size, number = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + size
            if number != self.received:
                raise FaultError(f"{self.name}: message {number} came where {self.received} was due")
            if len(self._rest) < end:
                return
            if self._rest[_HEADER.size : end] != bytes([number & 0xFF]) * size:
                raise FaultError(f"{self.name}: message {number} was spoiled")
            self.received += 1
            del self._rest[:end]

    def require_all(self) -> None:
        """FaultError unless all that was sent has arrived, and nothing else."""
        if self.received != self.sent or self._rest:
            raise FaultError(
                f"{self.name}: {self.received} of {self.sent} messages came, and {len(self._rest)} bytes"
            )


@dataclass
class Soak:
    """One process's soak: the loop under test and its books."""

    loop: asyncio.AbstractEventLoop
    selector: selectors.BaseSelector
    new_loop: Callable[[], asyncio.AbstractEventLoop]
    """A fresh loop on the same backend, for a forked child."""
    patience_s: float
    """How long something may take that takes no time."""
    faults: list[str] = field(default_factory=list)
    messages: int = 0
    done: Counter[str] = field(default_factory=Counter)
    lone: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by an activity of which there can be one at a time: signals belong to the process."""
    _places: itertools.count[int] = field(default_factory=itertools.count)

    def fault(self, text: str) -> None:
        """Note what went wrong; the first ones, for others follow from them."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(text)

    def settle(self, *streams: Numbered) -> None:
        """Require of streams that all has come, and count it."""
        for stream in streams:
            stream.require_all()
            self.messages += stream.received

    def lone_number(self) -> int:
        """A number from 500 up, which nobody gets by opening a file, and below FD_SETSIZE."""
        return 500 + next(self._places) % 400


def chance(rng: random.Random, share: float) -> bool:
    """True in *share* of the cases."""
    return rng.random() < share
