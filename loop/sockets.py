"""The ``sock_*`` calls: coroutines over non-blocking sockets.

Each tries at once, and otherwise waits until the socket is ready and tries again *in the coroutine*: the
loop's callback reads nothing and accepts nothing, so a call cancelled at any moment has lost no data
and no connection, and leaves no registration behind (bpo-30064).

The loop's callback resumes the coroutine itself (``waiters.py``). So when that callback is over, the task
either waits for the same thing again or does something else, and only then the socket need be
unregistered: a connection that is served in a loop stays registered. (sock echo: 39 to 21 us of CPU a
request.) The price is a socket closed by its task while still registered, after which the selector
has to doubt its number; so a registration is kept only from the second wait in succession on, is
given up at the end of the stream and on errors, and never kept in a foreign selector, which might not
know how to doubt. Not noticed is a file that ``os.dup2`` puts under a socket between two such waits.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#working-with-socket-objects-directly
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ..selectors_impl import ValidatingSelector
from .addresses import resolve
from .core import Core
from .handles import WaitHandle
from .waiters import Waiter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

T = TypeVar("T")

_NOT_YET = (BlockingIOError, InterruptedError)
_SENDFILE_AT_ONCE = 1 << 30  # what sendfile(2) may be asked for in one call on every system
_READ_AT_ONCE = 256 * 1024
_RECEIVE_BUFFER_SIZE = 256 * 1024
# malloc gives larger buffers as fresh pages, each time. (recv of 1 KiB into 256 KiB: 9.0 to 1.9 us)
_LARGEST_ALLOCATED = 128 * 1024


class _Watch:
    """A registration of the loop's own: which socket, for what, and who waits for it."""

    __slots__ = ("events", "fd", "handle", "keeps", "sock", "waiter")

    def __init__(self, loop: SocketCalls, sock: socket.socket, fd: int, events: int, *, keeps: bool) -> None:
        self.sock = sock
        self.fd = fd
        self.events = events
        self.keeps = keeps  # whether it stays registered while its task goes on
        self.waiter = Waiter(loop=loop)
        self.handle = WaitHandle(loop._resume, (self,), loop)


class SocketCalls(Core):
    """``sock_recv``, ``sock_sendall``, ``sock_accept`` and so on.

    They raise what the socket raises; TypeError for an SSL socket; in debug mode ValueError for a
    blocking one; RuntimeError for a socket that belongs to a transport.
    """

    _resumed: _Watch | None = None  # whose task goes on right now

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is received is copied out before anything else runs, so all sockets share it.
        self._receive_buffer = memoryview(bytearray(_RECEIVE_BUFFER_SIZE))
        # A registration kept over a task's step may outlive its file. A foreign selector may choke on that,
        # and a validator would hold it against the program.
        self._keeps_watches = not self._must_poll and not isinstance(self._selector, ValidatingSelector)

    async def sock_recv(self, sock: socket.socket, nbytes: int) -> bytes:
        """Receive up to ``nbytes`` bytes; b"" at the end of the stream."""
        self._check_socket(sock)
        buffer = self._receive_buffer
        while True:
            try:
                if nbytes > _LARGEST_ALLOCATED:
                    size = sock.recv_into(buffer, min(nbytes, _RECEIVE_BUFFER_SIZE))
                    data = bytes(buffer[:size])
                else:
                    data = sock.recv(nbytes)
            except _NOT_YET:
                pass
            except BaseException:
                self._let_go()
                raise
            else:
                if not data:
                    self._let_go()
                return data
            await self._until_ready(sock, EVENT_READ)

    async def sock_recv_into(self, sock: socket.socket, buf: WriteableBuffer) -> int:
        """Receive into ``buf``; returns the number of bytes."""
        return await self._attempt(sock, EVENT_READ, lambda: sock.recv_into(buf))

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """Receive a datagram of up to ``bufsize`` bytes, and its sender."""
        return await self._attempt(sock, EVENT_READ, lambda: sock.recvfrom(bufsize))

    async def sock_recvfrom_into(
        self, sock: socket.socket, buf: WriteableBuffer, nbytes: int = 0
    ) -> tuple[int, Any]:
        """Receive a datagram of up to ``nbytes`` (0: the buffer's size) into ``buf``; its size and sender."""
        return await self._attempt(sock, EVENT_READ, lambda: sock.recvfrom_into(buf, nbytes))

    async def sock_sendall(self, sock: socket.socket, data: ReadableBuffer) -> None:
        """Send all of ``data``. After an error or a cancellation nobody knows how much was sent."""
        self._check_socket(sock)
        view = memoryview(data).cast("B")
        while True:
            try:
                sent = sock.send(view)
            except _NOT_YET:
                pass
            except BaseException:
                self._let_go()
                raise
            else:
                if sent == len(view):
                    return
                view = view[sent:]
            await self._until_ready(sock, EVENT_WRITE)

    async def sock_sendto(self, sock: socket.socket, data: ReadableBuffer, address: Any) -> int:
        """Send a datagram to ``address``; returns the number of bytes sent."""
        return await self._attempt(sock, EVENT_WRITE, lambda: sock.sendto(data, address))

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to ``address``; names of hosts are looked up first."""
        self._check_socket(sock)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            found = await resolve(self, address, family=sock.family, kind=sock.type, proto=sock.proto)
            address = found[0][4]
        try:
            sock.connect(address)
            return
        except _NOT_YET:
            pass
        await self._until_ready(sock, EVENT_WRITE)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, f"Connect call failed {address}: {os.strerror(code)}")

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """Accept a connection; returns its socket, non-blocking, and the peer's address."""
        connection, address = await self._attempt(sock, EVENT_READ, sock.accept)
        connection.setblocking(False)
        return connection, address

    async def sock_sendfile(
        self,
        sock: socket.socket,
        file: IO[bytes],
        offset: int = 0,
        count: int | None = None,
        *,
        fallback: bool | None = True,
    ) -> int:
        """Send ``count`` bytes (None: all) of ``file`` from ``offset`` on; returns how many were sent.

        Uses ``os.sendfile`` where it works, else reads and sends if ``fallback`` is true, else raises
        asyncio.SendfileNotAvailableError. The file's position is after what was sent, errors included.
        """
        self._check_socket(sock)
        check_sendfile(sock, file, offset, count)
        try:
            return await self._send_by_kernel(sock, file, offset, count)
        except asyncio.SendfileNotAvailableError:
            if not fallback:
                raise
        return await self._send_by_reading(sock, file, offset, count)

    async def _send_by_kernel(
        self, sock: socket.socket, file: IO[bytes], offset: int, count: int | None
    ) -> int:
        try:
            source = file.fileno()
            whole = os.fstat(source).st_size
            os.sendfile  # noqa: B018 - absent on Windows
        except (AttributeError, OSError) as error:
            raise asyncio.SendfileNotAvailableError(f"{file!r} cannot be sent by the kernel") from error
        end = whole if count is None else min(whole, offset + count)
        position = offset
        try:
            while position < end:
                size = min(end - position, _SENDFILE_AT_ONCE)
                try:
                    sent = os.sendfile(sock.fileno(), source, position, size)
                except _NOT_YET:
                    await self._until_ready(sock, EVENT_WRITE)
                    continue
                except OSError as error:
                    if position == offset and error.errno in (errno.EINVAL, errno.ENOSYS, errno.ENOTSOCK):
                        raise asyncio.SendfileNotAvailableError("os.sendfile does not work here") from error
                    raise
                if not sent:
                    break
                position += sent
        finally:
            if position > offset:
                os.lseek(source, position, os.SEEK_SET)
        return position - offset

    async def _send_by_reading(
        self, sock: socket.socket, file: IO[bytes], offset: int, count: int | None
    ) -> int:
        file.seek(offset)
        total = 0
        try:
            while count is None or total < count:
                size = _READ_AT_ONCE if count is None else min(count - total, _READ_AT_ONCE)
                data = await self.run_in_executor(None, file.read, size)
                if not data:
                    break
                await self.sock_sendall(sock, data)
                total += len(data)
        finally:
            if total:
                file.seek(offset + total)
        return total

    async def _attempt(self, sock: socket.socket, events: int, call: Callable[[], T]) -> T:
        """The result of ``call()`` as soon as it does not block."""
        self._check_socket(sock)
        while True:
            try:
                return call()
            except _NOT_YET:
                pass  # waiting in here would make this the context of every exception thrown in
            except BaseException:
                self._let_go()
                raise
            await self._until_ready(sock, events)

    async def _until_ready(self, sock: socket.socket, events: int) -> None:
        watch = self._resumed
        again = watch is not None and watch.sock is sock and watch.events == events
        if again and watch is not None and self._readiness.holds(watch.fd, events, watch.handle):
            waiter = watch.waiter = Waiter(loop=self)
        else:
            fd = sock.fileno()
            self._readiness.refuse_transport(fd, sock)
            watch = _Watch(self, sock, fd, events, keeps=again and self._keeps_watches)
            waiter = watch.waiter
            self._readiness.add(sock, fd, events, watch.handle)
            self._readiness.has_waits = True
        try:
            await waiter
        except BaseException:
            self._readiness.release(watch.fd, events, watch.handle)
            raise

    def _resume(self, watch: _Watch) -> None:
        """The socket is ready: let its task go on."""
        waiter = watch.waiter
        if waiter.done():
            return  # cancelled; its task unregisters when it hears of it
        if not watch.keeps:
            self._readiness.release(watch.fd, watch.events, watch.handle)
        self._resumed = watch
        try:
            waiter.resume()
        finally:
            self._resumed = None
            if watch.waiter is waiter:  # it does not wait again
                self._readiness.release(watch.fd, watch.events, watch.handle)

    def _let_go(self) -> None:
        """Unregister the socket whose task goes on: the task is likely to close it now."""
        watch = self._resumed
        if watch is not None:
            self._readiness.release(watch.fd, watch.events, watch.handle)

    def _check_socket(self, sock: socket.socket) -> None:
        refuse_tls(sock)
        if self._debug and sock.gettimeout() != 0:
            raise ValueError(f"the socket must be non-blocking: call setblocking(False) of {sock!r} first")


def refuse_tls(sock: socket.socket) -> None:
    """TypeError for an SSL socket, whose readiness says nothing about its data."""
    if hasattr(sock, "do_handshake"):  # ssl.SSLSocket, without importing ssl
        raise TypeError(f"{sock!r} is an SSL socket: give the plain one")


def check_sendfile(sock: Any, file: IO[bytes], offset: int, count: int | None) -> None:
    """ValueError or TypeError for what no sendfile call takes."""
    if "b" not in getattr(file, "mode", "b"):
        raise ValueError(f"{file!r} must be opened in binary mode")
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"sendfile needs a stream socket, got {sock!r}")
    for name, number, least in (("offset", offset, 0), ("count", count, 1)):
        if number is None and name == "count":
            continue
        if not isinstance(number, int):
            raise TypeError(f"{name} must be an integer, got {number!r}")
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number!r}")
