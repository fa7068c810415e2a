"""Actions that connect pipes, and the files that they connect."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from pathlib import Path
from typing import IO, Any

from .connections import Peer, talker
from .transports import Transports


class PipeEnd:
    """A file that can be used as a peer uses its socket."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        os.set_blocking(fd, False)

    def fileno(self) -> int:
        return self._fd

    def setblocking(self, blocking: bool) -> None:
        os.set_blocking(self._fd, blocking)

    def send(self, data: bytes) -> int:
        return os.write(self._fd, data)

    def recv(self, size: int) -> bytes:
        return os.read(self._fd, size)

    def shutdown(self, _how: int) -> None:
        """A pipe has one direction; there is nothing to shut down."""

    def setsockopt(self, *_option: object) -> None:
        """Nor is there anything to set."""

    def close(self) -> None:
        os.close(self._fd)


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


def _ends(kind: str, *, reading: bool) -> tuple[IO[bytes] | socket.socket, Any]:
    """Our end, which reads or writes, and the peer's; no peer for what is refused."""
    if kind == "socket":
        return socket.socketpair()
    if kind == "file":
        return tempfile.TemporaryFile(), None
    if kind == "folder":
        return _Folder(), None  # type: ignore[return-value]
    if kind == "pty":
        peer, fd = _pty()
    elif kind == "fifo":
        reader, writer = _fifo()
        fd, peer = (reader, writer) if reading else (writer, reader)
    else:
        reader, writer = os.pipe()
        fd, peer = (reader, writer) if reading else (writer, reader)
    return open(fd, "rb" if reading else "wb", buffering=0), PipeEnd(peer)


def _pty() -> tuple[int, int]:
    import pty  # not on Windows
    import tty

    master, slave = pty.openpty()
    tty.setraw(slave)
    return master, slave


def _fifo() -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fifo"
        os.mkfifo(path)
        # Whoever opens it to write waits for a reader.
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        return reader, os.open(path, os.O_WRONLY)


class _Folder:
    """An open folder, which Python has no file object for."""

    def __init__(self) -> None:
        self._fd = os.open("/", os.O_RDONLY)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)
