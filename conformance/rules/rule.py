"""What a rule is: a promise with an id, the programs that put it to the test, and a judge of histories."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis.strategies import SearchStrategy

from ..history import History
from ..program import Program

LEVELS = {
    "R": "required by docs.python.org",
    "P": "only in PEP 3156",
    "C": "behaviour of CPython's own loop that programs lean on",
    "own": "a stronger promise of muxloop's own",
}


@dataclass(frozen=True)
class Finding:
    """One way in which a history breaks a rule, in words."""

    expected: str
    seen: str


Check = Callable[[History], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One promise of an event loop or a selector.

    ``check`` is a pure function of a history; it yields a finding for each way in which the rule is broken.
    """

    id: str
    level: str
    sentence: str
    source: str
    programs: SearchStrategy[Program] = field(repr=False)
    check: Check = field(repr=False)
    judges: str = "loop"
    """ "loop" or "selector": what kind of subject the rule is about."""
    timed: bool = False
    """Whether a finding rests on an upper bound of time, CPU or memory: it counts only if it comes again."""
    cost: float = 1
    """How many times dearer an example is than a common rule's; so many fewer are played (more, below 1)."""
    capability: str | None = None
    """Judged only on subjects that claim this capability."""
    needs: str | None = None
    """What the platform must have: a key of ``PLATFORM_FEATURES``."""
    version: int = 1
    """Raised by one when what the rule asks changes: a verdict by another version is about something else."""
    looks_on: bool = False
    """Whether the programs of all other rules put it to the test as well."""

    @property
    def group(self) -> str:
        """ORD, TMR, HEAP, …"""
        return self.id.partition("-")[0]

    @property
    def in_fresh_process(self) -> bool:
        """Whether it wants a playing process in which no loop has handled a signal yet.

        A loop that once handled one may hear all of them there, and would be judged by that.
        """
        return self.needs == "signals"


PLATFORM_FEATURES: dict[str, tuple[bool, str]] = {
    "fork": (hasattr(os, "fork"), "this platform has no fork()"),
    "signals": (hasattr(signal, "SIGUSR1"), "this platform has no SIGUSR1"),
    "descriptors": (os.name == "posix", "sockets are no file descriptors on this platform"),
    "itimer": (hasattr(signal, "setitimer"), "this platform has no setitimer()"),
    "unix-datagrams": (
        hasattr(socket, "AF_UNIX") and os.name == "posix",
        "this platform has no datagrams between Unix sockets",
    ),
    "children": (hasattr(os, "waitid"), "this platform has no waitid()"),
    "handler-contexts": (sys.version_info >= (3, 12), "before Python 3.12 nothing was said of it"),
    "waits": (os.name == "posix", "this platform does not count context switches"),
}

_catalogue: dict[str, Rule] = {}


def rule(
    rule_id: str,
    level: str,
    sentence: str,
    *,
    source: str,
    programs: SearchStrategy[Program],
    judges: str = "loop",
    timed: bool = False,
    cost: float = 1,
    capability: str | None = None,
    needs: str | None = None,
    version: int = 1,
    looks_on: bool = False,
) -> Callable[[Check], Check]:
    """Put the decorated check into the catalogue as the rule of that id."""

    def enter(check: Check) -> Check:
        if rule_id in _catalogue or level not in LEVELS:
            raise ValueError(f"rule {rule_id}: given twice, or of the unknown level {level!r}")
        _catalogue[rule_id] = Rule(
            *(rule_id, level, sentence, source, programs, check),
            judges=judges,
            timed=timed,
            cost=cost,
            capability=capability,
            needs=needs,
            version=version,
            looks_on=looks_on,
        )
        return check

    return enter


def catalogue() -> dict[str, Rule]:
    """The rules entered so far, by id, in the order of entry."""
    return _catalogue
