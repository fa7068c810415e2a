"""Actions on pairs of connected sockets, of which the loop watches one end."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from ..program import Program
from .stage import READER_LIMIT, LoopStage, Stage


class PipeEnd:
    """One end of a pipe, with as much of a socket's interface as a play needs."""

    def __init__(self, number: int) -> None:
        os.set_blocking(number, False)
        self._number = number

    def fileno(self) -> int:
        return self._number

    def send(self, data: bytes) -> int:
        return os.write(self._number, data)

    def recv(self, count: int) -> bytes:
        return os.read(self._number, count)

    def shutdown(self, _how: int) -> None:
        raise OSError("a pipe is closed, not shut down")

    def dup(self) -> PipeEnd:
        return PipeEnd(os.dup(self._number))

    def close(self) -> None:
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)


End = socket.socket | PipeEnd


class Pair:
    """Two connected ends, of a socket pair or of a pipe: ``ours`` is watched, ``peer`` makes it ready."""

    def __init__(self, pipe: str = "") -> None:
        self.ours: End
        self.peer: End
        if pipe:
            ends = [PipeEnd(number) for number in os.pipe()]
            self.ours, self.peer = ends if pipe == "r" else reversed(ends)
        else:
            self.ours, self.peer = socket.socketpair()
            self.ours.setblocking(False)
            self.peer.setblocking(False)
        self.number = self.ours.fileno()
        self.duplicate: End | None = None
        self._stale: tuple[End | None, ...] = ()

    def abandon(self, *, keep_duplicate: bool) -> None:
        """Close our end; its number stays known."""
        if keep_duplicate:
            self.duplicate = self.ours.dup()
        self.ours.close()

    def reuse(self) -> None:
        """A fresh pair of sockets, ours on the very fd number that was closed.

        The former peer, and a duplicate, stay open: a stale registration of the old file can still report.
        """
        self._stale = (*self._stale, self.peer, self.duplicate)
        ours, peer = socket.socketpair()
        if peer.fileno() == self.number:
            ours, peer = peer, ours
        if ours.fileno() != self.number:
            os.dup2(ours.fileno(), self.number, inheritable=False)
            family, kind = ours.family, ours.type
            ours.close()
            ours = socket.socket(family, kind, fileno=self.number)
        self.ours, self.peer, self.duplicate = ours, peer, None
        ours.setblocking(False)
        peer.setblocking(False)

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
            self.pairs[number] = Pair()
        return self.pairs[number]

    def do_pipe(self, pair: int, text: str) -> None:
        if pair not in self.pairs:
            self.pairs[pair] = Pair(text)

    def close_pairs(self) -> None:
        for pair in self.pairs.values():
            pair.close()

    def do_send(self, pair: int, count: int) -> None:
        with contextlib.suppress(OSError):
            self.pair(pair).peer.send(b"x" * count)
        self.note("sent", str(pair), count=count)

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
                pass

    def do_shutdown(self, pair: int) -> None:
        with contextlib.suppress(OSError):
            self.pair(pair).peer.shutdown(socket.SHUT_WR)

    def do_hangup(self, pair: int) -> None:
        self.pair(pair).peer.close()
        self.note("hung-up", str(pair))

    def do_abandon(self, pair: int, text: str = "") -> None:
        self.pair(pair).abandon(keep_duplicate=text == "dup")
        self.note("abandoned", str(pair), dup=text == "dup")

    def do_reuse(self, pair: int) -> None:
        self.pair(pair).reuse()
        self.note("reused", str(pair))


class Watching(Pairs, LoopStage):
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

        def ready() -> None:
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
            add(ours if text == "sock" else self.pair(pair).number, ready)
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
