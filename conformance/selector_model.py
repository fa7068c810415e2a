"""The model of a selector: which files a program has, what is registered, and what a wait owes each of them.

One set of books for three readers: those who make up a program read what makes sense next, the player what a
wait must and may report, the printer which calls will be refused. The books only follow what a program says.
What a file is ready for they do not know: the kernel is asked about that file alone (``player/kernel.py``).

What the model leaves open, and why:

- A hang-up without an error may or may not count as writable: select(2) of Linux keeps it from writers.
- A file whose readiness changes by itself during a wait, as a terminal's or a connection's does, must be
  reported only if it was ready before and after, and may be if it was at either time.
- Of a registered file that was closed (*lost*) nothing must be reported: no mechanism can be asked about it.
  Until a settling it may be reported, for poll(2) says POLLNVAL and epoll(7) what a duplicate is ready for;
  and again when something was done to any file, for epoll notices nothing before the duplicate is ready.
  Whether its key is still there is open as well: a selector that finds the file gone may drop the key.
- Of a registered number that another file took over (*taken over*) the same holds, and nothing settles it:
  select and poll watch numbers, epoll and kqueue watch files. A modify, or unregister and register, ends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from .file_kinds import KINDS
from .program import Action

BOTH = EVENT_READ | EVENT_WRITE
LETTERS = {"r": EVENT_READ, "w": EVENT_WRITE, "rw": BOTH}

TRAFFIC = frozenset({"send", "recv", "fill", "drain", "connect", "shutdown", "hangup"})
"""What is done to the files, unknown to the selector."""


@dataclass
class Peer:
    """The other end of a file, and of all its duplicates."""

    open: bool = True


@dataclass
class File:
    """One of the program's files: ours, under its number."""

    kind: str
    events: int = 0
    """What it is registered for; 0 when it is not registered."""
    open: bool = True
    peer: Peer = field(default_factory=Peer)
    taken_over: bool = False
    """Whether the number was registered for another file than it has now."""
    noticed: bool = False
    """Whether a selector had the time to notice that the file is lost."""
    doubtful: bool = False
    """Whether the selector may have dropped the key."""

    @property
    def lost(self) -> bool:
        return bool(self.events) and not self.open

    @property
    def sound(self) -> bool:
        """Whether a selector can be asked about it, and owes an answer."""
        return bool(self.events) and self.open and not self.taken_over

    @property
    def always_ready(self) -> bool:
        return KINDS[self.kind].always_ready

    def owed(self, before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int]:
        """What must and what may be reported, given what the kernel said before and after the wait.

        The kernel's answer is a pair as well: what must, and what may count as ready.
        """
        if self.sound:
            return before[0] & after[0] & self.events, (before[1] | after[1]) & self.events
        return 0, 0 if self.noticed else self.events


@dataclass
class Books:
    """What a program has done so far; ``follow`` is told each action that succeeded."""

    files: dict[int, File] = field(default_factory=dict)
    closed: bool = False
    """Whether the selector is."""
    settled: bool = True
    """Whether no file was lost or taken over since the last settling, which may end a wait early."""

    def file(self, number: int) -> File:
        """The file of that number; one that nobody opened is a pair of sockets."""
        if number not in self.files:
            self.files[number] = File("socket")
        return self.files[number]

    def registered(self) -> Iterator[tuple[int, File]]:
        return ((number, file) for number, file in self.files.items() if file.events)

    def knows(self, number: int) -> bool | None:
        """Whether the file is registered; None when the selector may have dropped it."""
        file = self.file(number)
        return None if file.doubtful else bool(file.events)

    def follow(self, action: Action) -> None:
        """Note an action that went as it should."""
        kind, *arguments = action
        entry = getattr(self, f"_after_{kind}", None)
        if entry is not None:
            entry(*arguments)

    def _after_open(self, number: int, text: str) -> None:
        self.files.setdefault(number, File(text))

    def _after_register(self, number: int, letters: str) -> None:
        self._watch(number, LETTERS[letters])

    def _after_modify(self, number: int, letters: str) -> None:
        self._watch(number, LETTERS[letters])

    def _after_unregister(self, number: int) -> None:
        self._watch(number, 0)

    def _after_forget(self, number: int) -> None:
        self._watch(number, 0)

    def _watch(self, number: int, events: int) -> None:
        file = self.file(number)
        if file.events and not file.sound:
            self.settled = False  # the kernel may know the former file still
        file.events, file.taken_over, file.noticed, file.doubtful = events, False, False, False

    def _after_abandon(self, number: int, _text: str = "") -> None:
        file = self.file(number)
        file.open = False
        self.settled = self.settled and not file.events

    def _after_reuse(self, number: int, kind: str = "socket") -> None:
        file = self.file(number)
        file.kind, file.open, file.peer = kind, True, Peer()
        file.taken_over, file.noticed = bool(file.events), False
        self.settled = self.settled and not file.events

    def _after_dup(self, number: int, copy: int) -> None:
        original = self.file(number)
        if original.open:
            self.files.setdefault(copy, File(original.kind, peer=original.peer))

    def _after_hangup(self, number: int) -> None:
        self.file(number).peer.open = False
        self._stir()

    def _stir(self, *_which: object) -> None:
        """A lost file may have become ready."""
        for _, file in self.registered():
            file.noticed = False
            self.settled = self.settled and not file.lost

    _after_send = _after_recv = _after_fill = _after_drain = _after_connect = _after_shutdown = _stir

    def _after_select(self, _timeout: Any) -> None:
        for _, file in self.registered():
            file.doubtful = file.doubtful or file.lost

    def _after_settle(self) -> None:
        self._after_select(0)
        for _, file in self.registered():
            file.noticed = file.lost
        self.settled = not any(file.taken_over for _, file in self.registered())

    def _after_close(self) -> None:
        self.closed = True
