"""Actions on pairs of connected sockets, of which the loop watches one end."""

from __future__ import annotations

import contextlib
from typing import Any

from ..program import PAIRS, Program
from .files import End, Watchable, open_pair, take_number
from .scheduling import Scheduling
from .stage import READER_LIMIT, Stage


def _first_number() -> int:
    """Where the numbers of watched files begin: out of the way, within FD_SETSIZE and the process's limit.

    Whoever opens a file gets the lowest free number. So nobody, the subject least of all, comes to lie on a
    number that a program closed and will use again.
    """
    try:
        import resource
    except ImportError:
        return 0
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(900, limit - 2 * PAIRS) if limit > 0 else 900


FIRST_NUMBER = _first_number()


class Pair:
    """Two connected ends: ``ours`` is watched, ``peer`` makes it ready."""

    def __init__(self, ours: Watchable, peer: End, place: int) -> None:
        self.ours = take_number(FIRST_NUMBER + place, ours) if FIRST_NUMBER else ours
        self.peer = peer
        self.number = self.ours.fileno()
        self.duplicate: Watchable | None = None
        self._stale: tuple[End | None, ...] = ()

    def abandon(self, *, keep_duplicate: bool) -> None:
        """Close our end; its number stays known."""
        if keep_duplicate:
            self.duplicate = self.ours.dup()
        self.ours.close()

    def reuse(self, kind: str = "socket") -> None:
        """A fresh file of that kind, ours on the very fd number that was closed or is replaced.

        The former peer, and a duplicate, stay open: a stale registration of the old file can still report.
        """
        self._stale = (*self._stale, self.peer, self.duplicate)
        self.ours.detach()
        ours, self.peer = open_pair(kind)
        self.ours, self.duplicate = take_number(self.number, ours), None

    def close(self) -> None:
        for end in (self.ours, self.peer, self.duplicate, *self._stale):
            if end is not None:
                end.close()


class Pairs(Stage):
    """The pairs of a play, by number, and what can be done to them without a loop."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.pairs: dict[int, Pair] = {}

    def pair(self, number: int) -> Pair:
        if number not in self.pairs:
            self.pairs[number] = Pair(*open_pair("socket"), number)
        return self.pairs[number]

    def do_pipe(self, pair: int, text: str) -> None:
        if pair not in self.pairs:
            self.pairs[pair] = Pair(*open_pair(f"pipe {text}"), pair)

    def close_pairs(self) -> None:
        for pair in self.pairs.values():
            pair.close()

    def do_send(self, pair: int, count: int) -> None:
        went = 0
        with contextlib.suppress(OSError):  # it may have hung up before, on a loop with an order of its own
            went = self.pair(pair).peer.send(b"x" * count)
        self.note("sent", str(pair), count=went)

    def do_recv(self, pair: int, count: int) -> None:
        try:
            got: Any = len(self.pair(pair).ours.recv(count))
        except OSError as error:
            got = type(error).__name__
        self.note("received", str(pair), count=got)

    def do_fill(self, pair: int) -> None:
        with contextlib.suppress(OSError):
            while self.pair(pair).ours.send(b"x" * 65536):
                pass

    def do_drain(self, pair: int) -> None:
        with contextlib.suppress(OSError):
            while self.pair(pair).peer.recv(1 << 20):
                self.note("drained", str(pair))

    def do_hangup(self, pair: int) -> None:
        self.pair(pair).peer.close()
        self.note("hung-up", str(pair))

    def do_abandon(self, pair: int, text: str = "") -> None:
        self.pair(pair).abandon(keep_duplicate=text == "dup")
        self.note("abandoned", str(pair), dup=text == "dup")

    def do_reuse(self, pair: int) -> None:
        self.pair(pair).reuse()
        self.note("reused", str(pair))


class Watching(Pairs, Scheduling):
    """add_reader, add_writer and their removal."""

    def do_reader(self, pair: int, label: str, body: Program, text: str = "sock") -> None:
        self._watch("reader", pair, label, body, text)

    def do_writer(self, pair: int, label: str, body: Program, text: str = "sock") -> None:
        self._watch("writer", pair, label, body, text)

    def do_unreader(self, pair: int) -> None:
        self._unwatch("reader", pair)

    def do_unwriter(self, pair: int) -> None:
        self._unwatch("writer", pair)

    def _watch(self, side: str, pair: int, label: str, body: Program, text: str) -> None:
        name = self.fresh(label)
        ours = self.pair(pair).ours
        runs = 0

        def ready(_: object) -> None:
            nonlocal runs
            runs += 1
            self.enter(name, runs)
            try:
                if runs >= READER_LIMIT:
                    self.note("gave-up", name)
                    self._unwatch(side, pair)
                else:
                    self.perform(body)
            finally:
                self.leave(name)

        add = getattr(self.loop, f"add_{side}")
        error = None
        try:
            add(ours if text == "sock" else self.pair(pair).number, ready, self.entrust(name, ready))
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("watched", name, side=side, pair=pair, by=text, error=error)

    def _unwatch(self, side: str, pair: int) -> None:
        remove = getattr(self.loop, f"remove_{side}")
        error, result = None, None
        try:
            result = remove(self.pair(pair).number)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("unwatched", str(pair), side=side, result=result, error=error)
