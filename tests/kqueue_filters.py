"""The filters of the emulated kqueue: what each calls an event, after the section "filters" of kqueue(2).

A knote is one registration, as in the kernel: an identifier, a filter, and what was asked of it.
Every knote owns or borrows one descriptor on which epoll can wait for it.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import termios

READ, WRITE, TIMER, USER = -1, -2, -7, -11

CLEAR, EOF = 0x0020, 0x8000

NOTE_SECONDS, NOTE_MSECONDS, NOTE_USECONDS, NOTE_NSECONDS = 0x1, 0x2, 0x4, 0x8
NOTE_TRIGGER, NOTE_FFLAGSMASK = 0x01000000, 0x00FFFFFF

_NS_PER_UNIT = {0: 10**6, NOTE_SECONDS: 10**9, NOTE_MSECONDS: 10**6, NOTE_USECONDS: 10**3, NOTE_NSECONDS: 1}

# PyPy's select lacks them; the kernel's numbers are the same on every CPU that PyPy runs on.
_POLLRDHUP: int = getattr(select, "POLLRDHUP", 0x2000)
_EPOLLRDHUP: int = getattr(select, "EPOLLRDHUP", 0x2000)

_POLL_BITS = {READ: select.POLLIN | _POLLRDHUP, WRITE: select.POLLOUT}


class Knote:
    """One registration.  ``event`` is what it has to report now, as (data, flags, fflags), or None."""

    waits_on: int | None = None  # the descriptor for epoll, None when there is nothing to wait for
    epoll_bits = select.EPOLLIN

    def __init__(self, ident: int, flags: int) -> None:
        self.ident = ident
        self.clear = bool(flags & CLEAR)
        self.oneshot = False
        self.enabled = True
        self.udata = 0
        self.reported_at = 0  # a stamp of the queue, for turns to be taken

    def change(self, flags: int, fflags: int, data: int) -> None:
        """Take over the parameters of an EV_ADD, the first and each later one."""

    def event(self) -> tuple[int, int, int] | None:
        raise NotImplementedError

    def retrieved(self) -> None:
        """The event was handed over: EV_CLEAR resets the state."""

    def alive(self) -> bool:
        """False when the descriptor was closed, which "will remove any kevents that reference" it."""
        return True

    def close(self) -> None:
        """Free what the knote owns."""


class FileKnote(Knote):
    """EVFILT_READ and EVFILT_WRITE."""

    def __init__(self, ident: int, flags: int, filter_: int, witness: select.epoll) -> None:
        super().__init__(ident, flags)
        self.filter = filter_
        info = os.fstat(ident)  # EBADF, as the kernel
        self.inode = (info.st_dev, info.st_ino)
        self.mode = info.st_mode
        self.witness: select.epoll | None = witness
        try:
            witness.register(ident, 0)
        except FileExistsError:
            pass  # the other filter's, or an earlier one's
        except PermissionError:
            self.witness = None  # a file that epoll does not know, which has an inode of its own
        self.vnode = stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)
        self.edges: select.epoll | None = None
        self.edge_seen = False
        if stat.S_ISFIFO(info.st_mode) and filter_ == WRITE and self._poll() & select.POLLERR:
            raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))
        if self.vnode:
            return
        self.epoll_bits = select.EPOLLIN | _EPOLLRDHUP if filter_ == READ else select.EPOLLOUT
        self.waits_on = ident
        if self.clear:
            # Edges are epoll's own: a set of one, edge-triggered, is readable once for each.
            self.edges = select.epoll()
            self.edges.register(ident, self.epoll_bits | select.EPOLLET)
            self.waits_on = self.edges.fileno()
            self.epoll_bits = select.EPOLLIN

    def event(self) -> tuple[int, int, int] | None:
        if self.vnode:
            return self._vnode_event()
        if self.edges is not None:
            self.edge_seen = self.edge_seen or bool(self.edges.poll(0, 1))
            if not self.edge_seen:
                return None
        bits = self._poll()
        if not bits:
            self.edge_seen = False
            return None
        hung_up = select.POLLHUP | select.POLLERR | (_POLLRDHUP if self.filter == READ else 0)
        return (self._amount(), EOF if bits & hung_up else 0, 0)

    def retrieved(self) -> None:
        self.edge_seen = False

    def alive(self) -> bool:
        """Ask epoll, whose entries are of a number and a file: all eventfds share one inode."""
        try:
            if self.witness is not None:
                self.witness.modify(self.ident, 0)
                return True
            info = os.fstat(self.ident)
        except OSError:
            return False
        return (info.st_dev, info.st_ino) == self.inode

    def close(self) -> None:
        if self.edges is not None:
            self.edges.close()

    def _poll(self) -> int:
        poller = select.poll()
        poller.register(self.ident, _POLL_BITS[self.filter])
        answers = poller.poll(0)
        return answers[0][1] if answers else 0

    def _vnode_event(self) -> tuple[int, int, int] | None:
        """ "Returns when the file pointer is not at the end of file", and can always be written."""
        if self.filter == WRITE:
            return (1, 0, 0)
        if stat.S_ISDIR(self.mode):
            return None
        left = os.fstat(self.ident).st_size - os.lseek(self.ident, 0, os.SEEK_CUR)
        return (left, 0, 0) if left else None

    def _amount(self) -> int:
        """Bytes to read, connections to accept, or room to write."""
        if self.filter == READ:
            try:
                return _ioctl_int(self.ident, termios.FIONREAD)
            except OSError:
                return 1  # a listening socket, whose backlog Linux does not tell
        if stat.S_ISFIFO(self.mode):
            return fcntl.fcntl(self.ident, fcntl.F_GETPIPE_SZ) - _ioctl_int(self.ident, termios.FIONREAD)
        if stat.S_ISSOCK(self.mode):
            blocking = os.get_blocking(self.ident)
            with socket.socket(fileno=os.dup(self.ident)) as sock:
                size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            os.set_blocking(self.ident, blocking)  # PyPy's constructor makes the file a blocking one
            return max(size - _ioctl_int(self.ident, termios.TIOCOUTQ), 0)
        return 1


class TimerKnote(Knote):
    """EVFILT_TIMER: "data contains the number of times the timeout has expired"."""

    def __init__(self, ident: int, flags: int) -> None:
        super().__init__(
            ident, flags | CLEAR
        )  # "this filter automatically sets the EV_CLEAR flag internally"
        self.waits_on = _timerfd_create()
        self.expirations = 0

    def change(self, flags: int, fflags: int, data: int) -> None:  # noqa: ARG002 - the kernel's signature
        period_ns = max(data * _NS_PER_UNIT[fflags & 0xF], 1)
        assert self.waits_on is not None
        _timerfd_settime(self.waits_on, period_ns, 0 if self.oneshot else period_ns)
        self.expirations = 0

    def event(self) -> tuple[int, int, int] | None:
        assert self.waits_on is not None
        with contextlib.suppress(BlockingIOError):
            self.expirations += struct.unpack("=Q", os.read(self.waits_on, 8))[0]
        return (self.expirations, 0, 0) if self.expirations else None

    def retrieved(self) -> None:
        self.expirations = 0

    def close(self) -> None:
        assert self.waits_on is not None
        os.close(self.waits_on)


class UserKnote(Knote):
    """EVFILT_USER: "a user event identified by ident which is not associated with any kernel mechanism"."""

    def __init__(self, ident: int, flags: int) -> None:
        super().__init__(ident, flags)
        self.waits_on = _eventfd()
        self.triggered = False
        self.fflags = 0

    def change(self, flags: int, fflags: int, data: int) -> None:  # noqa: ARG002 - the kernel's signature
        self.fflags = fflags & NOTE_FFLAGSMASK
        if fflags & NOTE_TRIGGER and not self.triggered:
            self.triggered = True
            assert self.waits_on is not None
            os.write(self.waits_on, struct.pack("=Q", 1))

    def event(self) -> tuple[int, int, int] | None:
        return (0, 0, self.fflags) if self.triggered else None

    def retrieved(self) -> None:
        if self.clear:
            self.triggered = False
            assert self.waits_on is not None
            os.read(self.waits_on, 8)

    def close(self) -> None:
        assert self.waits_on is not None
        os.close(self.waits_on)


def make_knote(ident: int, filter_: int, flags: int, witness: select.epoll) -> Knote:
    """The knote of a first EV_ADD; OSError is the kernel's answer to a bad one.

    The witness is an epoll set that nobody waits for; it tells a file from another under the same number.
    """
    if filter_ in (READ, WRITE):
        return FileKnote(ident, flags, filter_, witness)
    if filter_ == TIMER:
        return TimerKnote(ident, flags)
    if filter_ == USER:
        return UserKnote(ident, flags)
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def _ioctl_int(fd: int, request: int) -> int:
    answer = array.array("i", [0])
    fcntl.ioctl(fd, request, answer)
    return answer[0]


# Python has timerfd since 3.13, PyPy has no eventfd; asking the C library serves all alike.
_libc = ctypes.CDLL(None, use_errno=True)
_FD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC  # what TFD_ and EFD_NONBLOCK and _CLOEXEC stand for
_CLOCK_MONOTONIC = 1


def _eventfd() -> int:
    return _checked(_libc.eventfd(0, _FD_FLAGS))


def _timerfd_create() -> int:
    return _checked(_libc.timerfd_create(_CLOCK_MONOTONIC, _FD_FLAGS))


def _checked(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def _timerfd_settime(fd: int, first_ns: int, period_ns: int) -> None:
    spec = (ctypes.c_long * 4)(*divmod(period_ns, 10**9), *divmod(first_ns, 10**9))
    _checked(_libc.timerfd_settime(fd, 0, ctypes.byref(spec), None))
