"""Sockets by number, for tests in which a number changes hands."""

from __future__ import annotations

import os
import socket


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
        copy = os.dup(fd)
        self._open.add(copy)
        return copy

    def put(self, fd: int, number: int) -> None:
        """Give *number* to what *fd* refers to."""
        os.dup2(fd, number)
        self._open.add(number)

    def close(self, *fds: int) -> None:
        for fd in fds:
            os.close(fd)
            self._open.discard(fd)

    def close_all(self) -> None:
        self.close(*self._open)
