"""The transports of pipes: one for each direction.

Their rules are those of ``transports.py``: ``connection_lost`` comes exactly once and never inside the call
that caused it; what is written is tried at once, and its buffer is the caller's again; an exception in a
protocol's callback ends this pipe and no other. The file is asked for its number at each system call: one
that was closed under its transport ends in EBADF, and never reads what has got its number since.

Source: https://docs.python.org/3/library/asyncio-protocol.html
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import sys
import warnings
from asyncio.log import logger
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from itertools import islice
from selectors import EVENT_READ, EVENT_WRITE
from typing import TYPE_CHECKING, Any, cast

from .base_transport import BaseTransport
from .flow_control import FlowControl
from .handles import OwnedHandle

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from .sockets import SocketCalls

_NOT_YET = (BlockingIOError, InterruptedError)
_BUFFERS_AT_ONCE = 64  # of writev(2); far below any IOV_MAX
# What a pipe holds, and less than malloc gives as fresh pages each time: cheaper than a buffer that all share
# and a copy. (1 KiB: 256 KiB at once 13.6 us, readv into a shared buffer 1.7 us, this 1.1 us)
_READ_AT_ONCE = 64 * 1024
_ACCESS_MODE = 3  # O_ACCMODE: the part of a file's flags that tells reading from writing
# A named FIFO is readable to its writer there while it holds data, and says nothing when its reader leaves.
_FIFOS_TELL_NOTHING = ("darwin", "ios", "sunos5")


class PipeTransport(BaseTransport):
    """What both directions share: a file, which the transport owns and closes, and its protocol."""

    _loop: SocketCalls

    def __init__(
        self,
        loop: SocketCalls,
        file: Any,
        mode: int,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None],
    ) -> None:
        self._pipe = file
        self._loop = loop
        self._fd: int = file.fileno()
        self._mode = mode  # st_mode
        self._closing = False
        self._lost = False  # connection_lost has been scheduled
        self._handles: dict[int, OwnedHandle] = {}  # by what they wait for
        self._context = copy_context()  # of the protocol's calls, whoever brings them about (gh-140947)
        super().__init__(protocol, {"pipe": file})
        loop.call_soon(self._start, waiter, context=self._context)

    def __repr__(self) -> str:
        state = "closed" if self._pipe is None else "closing" if self._closing else "open"
        return f"<{type(self).__name__} {state} fd={self._fd}>"

    def __del__(self) -> None:
        if self.__dict__.get("_pipe") is not None:
            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=2, source=self)
            self._close_file()

    def is_closing(self) -> bool:
        """Whether it is closed, or will be once the buffer is written."""
        return self._closing

    # The beginning.

    def _begin(self) -> None:
        """Watch what is watched from the beginning on. OSError or ValueError if the selector refuses it."""
        raise NotImplementedError

    def _start(self, waiter: asyncio.Future[None]) -> None:
        if not self._closing:
            try:
                # Before connection_made: whoever connects is told of a refusal, and keeps the file.
                self._begin()
                os.set_blocking(self._fd, False)
            except (OSError, ValueError) as error:
                self._lost = self._closing = True
                self._stop_watching()
                self._pipe = None
                if not waiter.done():
                    waiter.set_exception(error)
                return
        try:
            self._tell_made()
        finally:  # Ctrl-C too leaves a pipe that works, and nobody waiting for it
            if not waiter.done():
                waiter.set_result(None)

    # Watching.

    def _watch(self, events: int, callback: Callable[[], object]) -> None:
        handle = OwnedHandle(callback, (), self._loop, self._context)
        self._loop._readiness.add(self._pipe, self._fd, events, handle)
        self._handles[events] = handle

    def _unwatch(self, events: int) -> None:
        handle = self._handles.pop(events, None)
        if handle is not None:
            # A terminal may have a transport in each direction: what the other one watches stays.
            self._loop._readiness.release(self._fd, events, handle)
            handle.cancel()

    def _watch_or_lose(self, events: int, callback: Callable[[], object]) -> None:
        """Refused by the selector (FD_SETSIZE, max_user_watches), the pipe is lost."""
        try:
            self._watch(events, callback)
        except (OSError, ValueError) as error:
            self._report(error, "The selector refuses a pipe, which is closed")
            self._lose(error)

    def _stop_watching(self) -> None:
        self._unwatch(EVENT_READ)
        self._unwatch(EVENT_WRITE)

    def _closed_underfoot(self) -> OSError:
        """In place of the ValueError by which a file tells that it was closed."""
        told = f"{self!r}: its file was closed; close the transport instead"
        return OSError(errno.EBADF, told)

    # The end.

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._stop_watching()
        if self._loop.is_closed():
            self._close_file()  # nobody is left who could be told
        else:
            self._loop.call_soon(self._finish, error, context=self._context)

    def _finish(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(cast("Exception | None", error))
        finally:
            self._close_file()

    def _close_file(self) -> None:
        file, self._pipe = self._pipe, None
        # Most protocols keep their transport, and the pair would wait for the collector.
        self._protocol = None  # type: ignore[assignment]  # nothing is told any more
        with suppress(OSError):  # EBADF: its number was closed underfoot
            file.close()


class ReadPipeTransport(PipeTransport, asyncio.ReadTransport):
    """Reads a pipe, FIFO, socket, terminal or other character device until its end."""

    _reading = True

    def is_reading(self) -> bool:
        """Whether data would be delivered."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Deliver no data until ``resume_reading``; may be repeated."""
        if self.is_reading():
            self._reading = False
            self._unwatch(EVENT_READ)
            if self._loop.get_debug():
                logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Deliver data again; may be repeated."""
        if not self._reading and not self._closing:
            self._reading = True
            self._watch_or_lose(EVENT_READ, self._read)
            if self._loop.get_debug():
                logger.debug("%r resumes reading", self)

    def close(self) -> None:
        """Deliver no more data, and close the file. May be repeated."""
        self._lose(None)

    def _begin(self) -> None:
        self._watch(EVENT_READ, self._read)

    def _read(self) -> None:
        protocol: Any = self._protocol
        what = "read from pipe"
        try:
            if isinstance(protocol, asyncio.BufferedProtocol):
                what = "protocol.get_buffer()"
                buffer = protocol.get_buffer(-1)
                if not len(memoryview(buffer)):
                    raise RuntimeError("get_buffer() returned an empty buffer")
                what = "read from pipe"
                size = os.readv(self._pipe.fileno(), [buffer])
                if size:
                    what = "protocol.buffer_updated()"
                    protocol.buffer_updated(size)
            else:
                data = os.read(self._pipe.fileno(), _READ_AT_ONCE)
                size = len(data)
                if size:
                    what = "protocol.data_received()"
                    protocol.data_received(data)
            if not size:
                if self._loop.get_debug():
                    logger.info("%r was closed by peer", self)
                what = "protocol.eof_received()"
                # What it returns makes no difference: there is no other direction to keep open.
                protocol.eof_received()
                self._lose(None)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if what == "read from pipe":
                if isinstance(error, _NOT_YET):
                    return
                if isinstance(error, ValueError):
                    error = self._closed_underfoot()
            # EIO: a terminal was hung up. (OSErrors of the system's are no news for the log.)
            self._fail(error, f"Fatal error: {what} failed.")


class WritePipeTransport(PipeTransport, FlowControl, asyncio.WriteTransport):
    """Writes to a pipe, FIFO, socket, terminal or other character device."""

    _loop: SocketCalls

    def __init__(self, *args: Any) -> None:
        self._buffer: deque[memoryview] = deque()
        self._buffered = 0  # bytes
        super().__init__(*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} buffered={self._buffered}>"

    def get_write_buffer_size(self) -> int:
        """Bytes written but not yet taken by the kernel."""
        return self._buffered

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write ``data``, now as far as possible; never blocks. The caller may change its buffer afterwards.

        TypeError for what is not bytes-like. After ``close``, ``write_eof`` or a loss the data is dropped,
        with a warning in the log from the fifth time on.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"write() needs bytes, a bytearray or a memoryview, got {type(data).__name__}")
        if not data:
            return
        if self._closing:
            self._note_vain_write()
            return
        size = len(data)
        if isinstance(data, memoryview):
            size = data.nbytes
            if not data.c_contiguous:
                data = data.tobytes()
        written = 0
        if not self._buffer:
            try:
                written = os.write(self._pipe.fileno(), data)
            except _NOT_YET:
                pass
            except (OSError, ValueError) as error:
                self._fail_to_write(error)
                return
            if written == size:
                return
            self._watch_or_lose(EVENT_WRITE, self._flush)
            if self._lost:
                return
        rest = memoryview(data).cast("B")[written:]
        # A mutable buffer is copied, as the caller may reuse it.
        self._buffer.append(rest if isinstance(data, bytes) else memoryview(bytes(rest)))
        self._buffered += len(rest)
        self._pause_if_high()

    def can_write_eof(self) -> bool:
        """True: the end of a pipe is that it is closed."""
        return True

    def write_eof(self) -> None:
        """As ``close``."""
        self.close()

    def close(self) -> None:
        """Write what is buffered, then close the file. May be repeated."""
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._lose(None)

    def abort(self) -> None:
        """Close the file at once and drop what is buffered. May be repeated."""
        self._lose(None)

    def _begin(self) -> None:
        if (
            _tells_of_its_reader(self._fd, self._mode)
            and self._loop._readiness.transports.get(self._fd) is self
        ):
            self._watch(EVENT_READ, self._look_at_reader)

    def _look_at_reader(self) -> None:
        """Ready to be read: nobody reads what we write, the file was closed, or a socket has data."""
        try:
            os.fstat(self._pipe.fileno())
            if stat.S_ISSOCK(self._mode) and _has_something_to_say(self._fd):
                self._unwatch(EVENT_READ)  # it would be reported for ever, for nobody reads it
                return
        except (OSError, ValueError) as error:
            self._fail_to_write(error)
            return
        self._lose(BrokenPipeError(errno.EPIPE, "the pipe's reader closed it") if self._buffer else None)

    def _flush(self) -> None:
        try:
            written = os.writev(self._pipe.fileno(), list(islice(self._buffer, _BUFFERS_AT_ONCE)))
        except _NOT_YET:
            return
        except (OSError, ValueError) as error:
            self._fail_to_write(error)
            return
        self._buffered -= written
        buffer = self._buffer
        while written:
            first = buffer.popleft()
            if len(first) > written:
                buffer.appendleft(first[written:])
                break
            written -= len(first)
        if not buffer:
            self._unwatch(EVENT_WRITE)
            if self._closing:
                self._lose(None)
        self._resume_if_low()  # the protocol may write more at once

    def _fail_to_write(self, error: OSError | ValueError) -> None:
        told = self._closed_underfoot() if isinstance(error, ValueError) else error
        self._fail(told, "Fatal write error on pipe transport")

    def _lose(self, error: BaseException | None) -> None:
        self._buffer.clear()
        self._buffered = 0
        super()._lose(error)


def _tells_of_its_reader(fd: int, mode: int) -> bool:
    """Whether the file becomes ready to be read when whoever reads what is written to it goes away."""
    if stat.S_ISSOCK(mode):
        return True
    if not stat.S_ISFIFO(mode):
        return False
    if fcntl.fcntl(fd, fcntl.F_GETFL) & _ACCESS_MODE == os.O_RDWR:
        return False  # we are a reader ourselves: it is ready when it holds data
    named = os.fstat(fd).st_nlink > 0
    return not (named and sys.platform in _FIFOS_TELL_NOTHING)


def _has_something_to_say(fd: int) -> bool:
    """Whether a socket that is ready to be read has something else to tell than its end."""
    with socket.socket(fileno=os.dup(fd)) as sock:
        sock.setblocking(False)
        try:
            return bool(sock.recv(1, socket.MSG_PEEK))
        except _NOT_YET:
            return True
        except OSError:
            return False
