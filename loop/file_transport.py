"""A transport on a file of its own, a socket or a pipe: reading it, and its end.

Its rules: ``connection_lost`` comes exactly once, and never inside the call that caused it; no data after
``close``; an exception in a protocol's callback ends this connection and no other.

Source: https://docs.python.org/3/library/asyncio-protocol.html
"""

from __future__ import annotations

import asyncio
import warnings
from asyncio.log import logger
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from selectors import EVENT_READ, EVENT_WRITE
from typing import TYPE_CHECKING, Any, cast

from .flow_control import FlowControl
from .handles import OwnedHandle

if TYPE_CHECKING:
    from .sockets import SocketCalls

NOT_YET = (BlockingIOError, InterruptedError)


class FileTransport(FlowControl):
    """A transport that owns and closes ``file``, which is non-blocking.

    A subclass says what is done when it can be read (``_read``), and fills ``_buffer`` and ``_buffered``.
    """

    __slots__ = (
        "__weakref__",
        "_buffer",
        "_buffered",
        "_closing",
        "_context",
        "_fd",
        "_file",
        "_loop",
        "_lost",
        "_reading",
    )

    def __init__(
        self, loop: SocketCalls, file: Any, protocol: asyncio.BaseProtocol, extra: dict[str, Any]
    ) -> None:
        super().__init__(protocol, extra)
        self._file: Any = file  # None once it is closed
        self._loop: SocketCalls = loop
        self._fd: int = file.fileno()
        # The protocol is called in one context, whoever resumes reading or writes (gh-140947).
        self._context: Context = copy_context()
        self._buffer: deque[Any] = deque()
        self._buffered = 0  # bytes
        self._closing = False
        self._lost = False  # connection_lost has been scheduled
        self._reading: bool | None = None  # None: not yet, waiting for connection_made
        loop._readiness.adopt(self._fd, self)

    def __repr__(self) -> str:
        state = "closed" if self._file is None else "closing" if self._closing else "open"
        return f"<{type(self).__name__} {state} fd={self._fd} buffered={self._buffered}>"

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=2, source=self)
            self._file.close()
            self._leave()

    def is_closing(self) -> bool:
        """Whether it is closed, or will be once the buffer is sent."""
        return self._closing

    def get_write_buffer_size(self) -> int:
        """Bytes written but not yet taken by the kernel."""
        return self._buffered

    # Reading.

    def is_reading(self) -> bool:
        """Whether data would be delivered."""
        return self._reading is not False and not self._closing

    def pause_reading(self) -> None:
        """Deliver no data until ``resume_reading``; may be repeated."""
        if self._closing or self._reading is False:
            return
        self._reading = False
        self._loop._readiness.remove(self._fd, EVENT_READ)
        if self._loop.get_debug():
            logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Deliver data again; may be repeated."""
        if self._closing or self._reading is not False:
            return
        self._reading = True
        self._watch_reading()
        if self._loop.get_debug():
            logger.debug("%r resumes reading", self)

    def _watch_reading(self) -> None:
        self._watch(EVENT_READ, self._read)

    def _watch(self, events: int, callback: Callable[[], object]) -> None:
        """Call back when ready. Refused by the selector (FD_SETSIZE, max_user_watches), it is lost."""
        handle = OwnedHandle(callback, (), self._loop, self._context)
        try:
            self._loop._readiness.add(self._file, self._fd, events, handle)
        except (OSError, ValueError) as error:
            self._report(error, "The selector refuses a connection, which is closed")
            self._lose(error)

    def _read(self) -> None:
        """The file can be read."""
        raise NotImplementedError

    def _start(self, waiter: asyncio.Future[None] | None) -> None:
        try:
            self._tell_made()
        finally:  # Ctrl-C too leaves a connection that works, and nobody waiting for it
            if self._reading is None and not self._closing:
                self._reading = True
                self._watch_reading()
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    # The end.

    def close(self) -> None:
        """Send what is buffered, then close; no more data is delivered. May be repeated."""
        if self._closing:
            return
        self._closing = True
        self._loop._readiness.remove(self._fd, EVENT_READ)
        if not self._buffer:
            self._lose(None)

    def abort(self) -> None:
        """Close at once and drop what is buffered. May be repeated."""
        self._lose(None)

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._buffer.clear()
        self._buffered = 0
        readiness = self._loop._readiness
        readiness.remove(self._fd, EVENT_READ)
        readiness.remove(self._fd, EVENT_WRITE)
        self._loop.call_soon(self._finish, error, context=self._context)

    def _finish(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(cast("Exception | None", error))
        finally:
            file, self._file = self._file, None
            with suppress(OSError):  # EBADF: its number was closed underfoot
                file.close()
            # Most protocols keep their transport, and the pair would wait for the collector.
            self._protocol = None  # type: ignore[assignment]  # nothing is told any more
            self._leave()

    def _leave(self) -> None:
        """The file is closed: tell those who count on it."""
