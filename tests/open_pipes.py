"""Files of every kind that a pipe transport takes, and transports on them."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from muxloop import EventLoop
from recorded_connections import Recorder

KINDS = ["pipe", "fifo", "socket", "terminal"]


def ends(kind: str) -> tuple[Any, Any]:
    """Where something is read, and where it is written."""
    if kind == "socket":
        return socket.socketpair()
    if kind == "terminal":
        import tty

        reader, writer = os.openpty()
        tty.setraw(writer)
    elif kind == "pipe":
        reader, writer = os.pipe()
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "fifo")
            os.mkfifo(path)
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            writer = os.open(path, os.O_WRONLY)
    return file_of(reader, "rb"), file_of(writer, "wb")


def file_of(number: int, mode: str) -> IO[bytes]:
    """An unbuffered file on a number."""
    return open(number, mode, buffering=0)


def send(file: Any, data: bytes) -> None:
    """Write to what ``ends`` gave."""
    os.write(file.fileno(), data)


def receive(file: Any, size: int = 1 << 20) -> bytes:
    """Read from what ``ends`` gave; b"" at its end. BlockingIOError if there is nothing."""
    os.set_blocking(file.fileno(), False)
    return os.read(file.fileno(), size)


async def reading(
    loop: EventLoop, kind: str = "pipe", factory: Callable[[], Any] = Recorder
) -> tuple[Any, Any, Any]:
    """A read transport with its protocol, and the file that is written to."""
    ours, theirs = ends(kind)
    transport, protocol = await loop.connect_read_pipe(factory, ours)
    return transport, protocol, theirs


async def writing(
    loop: EventLoop, kind: str = "pipe", factory: Callable[[], Any] = Recorder
) -> tuple[Any, Any, Any]:
    """A write transport with its protocol, and the file that is read from."""
    theirs, ours = ends(kind)
    transport, protocol = await loop.connect_write_pipe(factory, ours)
    return transport, protocol, theirs
