"""Opens files of every kind, and gives each as much of a socket's interface as a play needs.

An end has ``fileno``, ``send``, ``recv``, ``shutdown``, ``dup``, ``detach`` and ``close``, as a socket has;
what a file cannot do raises OSError, which the actions of a program ignore.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

_Number = TypeVar("_Number", bound="NumberedEnd")

_COUNTER_FULL = 2**64 - 2
_LOCAL = ("127.0.0.1", 0)


def _refuse(what: str) -> NoReturn:
    raise OSError(errno.EOPNOTSUPP, f"{what} is not for this kind of file")


class NumberedEnd:
    """A file by its number: the end of a pipe or of a terminal."""

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
        _refuse("shutdown")

    def dup(self: _Number) -> _Number:
        return type(self)(os.dup(self._number))

    def open_number(self) -> int:
        """For calls that have a ValueError, where os.read and os.write have an OSError, for a closed one."""
        if self._number < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._number

    def detach(self) -> int:
        number, self._number = self._number, -1
        return number

    def close(self) -> None:
        number = self.detach()
        if number >= 0:
            os.close(number)


class Counter(NumberedEnd):
    """An eventfd: to send is to add, a long message fills it, to receive is to take all."""

    def send(self, data: bytes) -> int:
        os.eventfd_write(self.open_number(), len(data) if len(data) < 1 << 16 else _COUNTER_FULL)
        return len(data)

    def recv(self, _count: int) -> bytes:
        return b"x" * min(8, os.eventfd_read(self.open_number()))


class Timer(NumberedEnd):
    """A timerfd: to send is to let it expire at once."""

    def send(self, data: bytes) -> int:
        getattr(os, "timerfd_settime_ns")(self.open_number(), initial=len(data))  # noqa: B009 - Python 3.13 or later
        return len(data)

    def recv(self, _count: int) -> bytes:
        return os.read(self._number, 8)


class Inert(NumberedEnd):
    """A file that nothing is done to: writing to one that is always ready would never end."""

    def send(self, _data: bytes) -> int:
        _refuse("send")

    def recv(self, _count: int) -> bytes:
        _refuse("recv")


class Listener(socket.socket):
    """A listening socket: to receive is to accept."""

    def recv(self, _count: int, _flags: int = 0) -> bytes:
        connection, _ = self.accept()
        connection.close()
        return b""


class Clients:
    """Whoever connects to a listening socket."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._connected: list[socket.socket] = []

    def fileno(self) -> int:
        return -1

    def send(self, data: bytes) -> int:
        for _ in data:
            client = socket.socket()
            client.setblocking(False)  # a full queue would have it wait
            client.connect_ex(self._address)
            self._connected.append(client)
        return len(data)

    def recv(self, _count: int) -> bytes:
        _refuse("recv")

    def shutdown(self, _how: int) -> None:
        _refuse("shutdown")

    def detach(self) -> int:
        return -1

    def close(self) -> None:
        for client in self._connected:
            client.close()
        self._connected.clear()


class Client(socket.socket):
    """A socket that is to connect to an address, or to a place where nobody listens."""

    server: tuple[str, int] = ("", 0)

    def connect_to_server(self) -> None:
        self.connect_ex(self.server)

    def dup(self) -> Client:
        copy = super().dup()
        copy.server = self.server
        return copy


Watchable = socket.socket | NumberedEnd
End = Watchable | Clients
Ends = tuple[Watchable, End]
"""Ours and the peer."""


def open_pair(kind: str) -> Ends:
    """A fresh file of that kind; OSError or AttributeError where the platform has none."""
    ours, peer = _OPENERS[kind]()
    for end in (ours, peer):
        if isinstance(end, socket.socket):
            end.setblocking(False)
    return ours, peer


def _other_way_round(opener: Callable[[], tuple[NumberedEnd, NumberedEnd]]) -> Callable[[], Ends]:
    def opened() -> Ends:
        ours, peer = opener()
        return peer, ours

    return opened


def _tcp() -> Ends:
    with socket.create_server(_LOCAL) as server:
        peer = socket.create_connection(server.getsockname())
        return server.accept()[0], peer


def pipe() -> tuple[NumberedEnd, NumberedEnd]:
    reading, writing = os.pipe()
    return NumberedEnd(reading), NumberedEnd(writing)


def fifo() -> tuple[NumberedEnd, NumberedEnd]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fifo")
        os.mkfifo(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        return NumberedEnd(reading), NumberedEnd(os.open(path, os.O_WRONLY | os.O_NONBLOCK))


def terminal() -> tuple[NumberedEnd, NumberedEnd]:
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    return NumberedEnd(master), NumberedEnd(slave)


def _listener() -> Ends:
    server = socket.create_server(_LOCAL, backlog=16)
    address = server.getsockname()
    return Listener(server.family, server.type, server.proto, fileno=server.detach()), Clients(address)


def _client() -> Ends:
    server = socket.create_server(_LOCAL)
    ours = Client()
    ours.server = server.getsockname()
    return ours, server


def _refused() -> Ends:
    nobody = socket.socket()
    nobody.bind(_LOCAL)  # keeps others from listening there
    ours = Client()
    ours.server = nobody.getsockname()
    return ours, nobody


def _udp() -> Ends:
    ours, peer = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
    for end in (ours, peer):
        end.bind(_LOCAL)
    ours.connect(peer.getsockname())
    peer.connect(ours.getsockname())
    return ours, peer


def _datagrams() -> Ends:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


def _with_itself(end: NumberedEnd) -> Ends:
    return end, end.dup()


def _eventfd() -> Ends:
    return _with_itself(Counter(os.eventfd(0, os.EFD_CLOEXEC)))


def _timerfd() -> Ends:
    create = getattr(os, "timerfd_create")  # noqa: B009 - Python 3.13 or later
    return _with_itself(Timer(create(1)))  # CLOCK_MONOTONIC


def _file() -> Ends:
    with tempfile.TemporaryFile() as file:
        return _with_itself(Inert(os.dup(file.fileno())))


def _existing(path: str) -> Callable[[], Ends]:
    return lambda: _with_itself(Inert(os.open(path, os.O_RDONLY)))


_OPENERS: dict[str, Callable[[], Ends]] = {
    "socket": socket.socketpair,
    "tcp": _tcp,
    "pipe r": pipe,
    "pipe w": _other_way_round(pipe),
    "fifo r": fifo,
    "fifo w": _other_way_round(fifo),
    "terminal": terminal,
    "tty": _other_way_round(terminal),
    "listener": _listener,
    "client": _client,
    "refused": _refused,
    "udp": _udp,
    "datagrams": _datagrams,
    "eventfd": _eventfd,
    "timerfd": _timerfd,
    "pidfd": lambda: _with_itself(Inert(os.pidfd_open(os.getpid()))),
    "file": _file,
    "directory": _existing(os.curdir),
    "null": _existing(os.devnull),
}


def take_number(number: int, ours: Watchable) -> Watchable:
    """Give *ours* that number, whatever had it before; the end as it is now."""
    os.dup2(ours.fileno(), number, inheritable=False)
    with ours if isinstance(ours, socket.socket) else contextlib.closing(ours):
        if isinstance(ours, NumberedEnd):
            return type(ours)(number)
        moved = type(ours)(ours.family, ours.type, ours.proto, fileno=number)
        moved.setblocking(False)
        if isinstance(ours, Client) and isinstance(moved, Client):
            moved.server = ours.server
        return moved
