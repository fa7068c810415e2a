"""Actions that connect pipes, and the files that they connect."""

from __future__ import annotations

import os
import socket
import tempfile
from typing import IO, Any

from .connections import Peer, talker
from .files import NumberedEnd, fifo, pipe, terminal
from .transports import Transports


class PipeEnd(NumberedEnd):
    """A file that can be used as a peer uses its socket."""

    def setblocking(self, blocking: bool) -> None:
        os.set_blocking(self.fileno(), blocking)

    def getpeername(self) -> str:
        return ""

    def getsockname(self) -> str:
        return ""

    def setsockopt(self, *_option: object) -> None:
        """There is nothing to set."""


class Pipes(Transports):
    """read_pipe, write_pipe."""

    def do_read_pipe(self, pair: int, text: str) -> None:
        self._connect_pipe(pair, text, reading=True)

    def do_write_pipe(self, pair: int, text: str) -> None:
        self._connect_pipe(pair, text, reading=False)

    def _connect_pipe(self, pair: int, kind: str, *, reading: bool) -> None:
        link = self.link(pair)
        if link.way:
            return
        link.way = kind
        ours, peer = _ends(kind, reading=reading)
        if peer is not None:
            link.peer = Peer(peer)
            self.expect(f"connection_made of {pair}")
        holder: list[Any] = [ours]  # the loop has it to itself

        async def connect() -> None:
            file = holder.pop()
            method = self.loop.connect_read_pipe if reading else self.loop.connect_write_pipe
            try:
                await method(lambda: talker(self, link), file)
            except BaseException:
                file.close()
                raise

        self.errand("piped", pair, connect, way=kind, reading=reading)


def _ends(kind: str, *, reading: bool) -> tuple[IO[bytes] | socket.socket | NumberedEnd, Any]:
    """Our end, which reads or writes, and the peer's; no peer for what is refused."""
    if kind == "socket":
        return socket.socketpair()
    if kind == "file":
        return tempfile.TemporaryFile(), None
    if kind == "folder":
        return NumberedEnd(os.open("/", os.O_RDONLY)), None  # Python has no file object for a folder
    if kind == "pty":
        peer, ours = terminal()
    else:
        ours, peer = pipe() if kind == "pipe" else fifo()
        if not reading:
            ours, peer = peer, ours
    file = open(ours.detach(), "rb" if reading else "wb", buffering=0)  # noqa: SIM115
    return file, PipeEnd(peer.detach())
