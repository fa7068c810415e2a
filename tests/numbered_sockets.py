"""Sockets by number, for tests in which a number changes hands.

On Windows the number of a socket is no file descriptor, and ``os`` knows nothing of it; so what is done here
goes by ``socket`` where that is possible.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

_NUMBERS_TRIED = 5000


def close_number(fd: int) -> None:
    """Close the socket of that number, behind the back of every object that holds it."""
    socket.close(fd)


def duplicate(fd: int) -> int:
    """Another number of the same socket."""
    if sys.platform != "win32":
        return os.dup(fd)
    sock = socket.socket(fileno=fd)
    try:
        return sock.dup().detach()
    finally:
        sock.detach()


def give_number(fd: int, number: int) -> None:
    """Let *number* be another number of the socket *fd*, whatever it was before."""
    if sys.platform != "win32":
        os.dup2(fd, number)
        return
    with suppress(OSError):
        socket.close(number)
    # Nobody chooses numbers there. But those that were given back are given out again before new ones.
    others = []
    try:
        for _ in range(_NUMBERS_TRIED):
            copy = duplicate(fd)
            if copy == number:
                return
            others.append(copy)
        raise AssertionError(f"{number} did not come back among {_NUMBERS_TRIED} numbers")
    finally:
        for other in others:
            socket.close(other)


def send(fd: int, data: bytes) -> None:
    """Send by the socket of that number."""
    sock = socket.socket(fileno=fd)
    try:
        sock.send(data)
    finally:
        sock.detach()


def receive(fd: int, size: int = 1) -> bytes:
    """Receive by the socket of that number."""
    sock = socket.socket(fileno=fd)
    try:
        return sock.recv(size)
    finally:
        sock.detach()


class Numbers:
    """Descriptors under numbers of our choice, all closed at the end."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def pair(self) -> tuple[int, int]:
        """Two connected sockets, as numbers."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        numbers = ours.detach(), theirs.detach()
        self._open.update(numbers)
        return numbers

    def dup(self, fd: int) -> int:
        copy = duplicate(fd)
        self._open.add(copy)
        return copy

    def put(self, fd: int, number: int) -> None:
        """Give *number* to what *fd* refers to."""
        give_number(fd, number)
        self._open.add(number)

    def close(self, *fds: int) -> None:
        for fd in fds:
            close_number(fd)
            self._open.discard(fd)

    def close_all(self) -> None:
        self.close(*self._open)
