"""Which open file stands behind a number."""

from __future__ import annotations

import os
import socket
import sys

Identity = tuple[int, int]


def is_open(fd: int) -> bool:
    """Whether an open file, on Windows an open socket, stands behind the number."""
    try:
        if sys.platform == "win32":
            _socket_of(fd).detach()
        else:
            os.fstat(fd)
    except OSError:
        return False
    return True


def identify(fd: int) -> Identity | None:
    """What tells one open file from another behind the same number (fstat(2)).

    None if it is not open, or cannot be told from others. Eventfds, timerfds and the like share one inode,
    and cannot be told apart. On Windows the number of a socket is no file descriptor and there is no inode;
    but a socket has a port from when it is bound.
    """
    try:
        if sys.platform != "win32":
            status = os.fstat(fd)
            return status.st_dev, status.st_ino
        sock = _socket_of(fd)
    except OSError:
        return None
    try:
        kind = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
        port: int = sock.getsockname()[1]
    except OSError:  # WSAEINVAL: not bound
        return None
    finally:
        sock.detach()
    return (kind, port) if port else None


def _socket_of(fd: int) -> socket.socket:
    """To be detached again; OSError if there is none. Without a kind, one not yet bound would be refused."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
