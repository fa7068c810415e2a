"""Faults in transports (rules TRN) and servers (rules SRV)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import errno
import os
import socket
from asyncio import selector_events
from collections.abc import Callable
from typing import Any

from faulty_base import FaultBed, SteppedLoop

TRANSPORT_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

Reference: Any = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]


class SoundTransport(Reference):  # type: ignore[misc]
    """CPython's transport without what 3.12 and 3.13 break: it copies what it is given, and joins lines."""

    def write(self, data: Any) -> None:
        super().write(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))


class OwnTransportsLoop(SteppedLoop):
    """Makes transports of `transport_type`."""

    transport_type: type[Any] = SoundTransport

    def _make_socket_transport(
        self, sock: socket.socket, protocol: Any, waiter: Any = None, *, extra: Any = None, server: Any = None
    ) -> Any:
        self._ensure_fd_no_transport(sock)
        return self.transport_type(self, sock, protocol, waiter, extra, server)


plant = TRANSPORT_FAULTS.plant_in(OwnTransportsLoop, "transport_type")


@plant
class LostInsideCloseTransport(SoundTransport):
    """seen in rloop 0.5: close() calls connection_lost before it returns. Breaks TRN-01."""

    def close(self) -> None:
        if not self._closing and not self.get_write_buffer_size() and self._protocol is not None:
            self._closing = True
            self._conn_lost += 1
            self._loop._remove_reader(self._sock_fd)
            self._call_connection_lost(None)
        else:
            super().close()


@plant
class LostTwiceTransport(SoundTransport):
    """24 gh-136234, python/asyncio 359: abort() tells connection_lost though close() already did. Breaks
    TRN-01."""

    def abort(self) -> None:
        if self._protocol is not None and self._conn_lost:
            self._loop.call_soon(self._protocol.connection_lost, None)
        super().abort()


@plant
class ErrorKeepsConnectionTransport(SoundTransport):
    """seen in rloop 0.5: after an exception in data_received, connection_lost never comes. Breaks TRN-01."""

    def _fatal_error(self, exc: BaseException, message: str = "") -> None:
        if isinstance(exc, OSError):
            super()._fatal_error(exc, message)
        else:
            self._closing = True
            self._loop._remove_reader(self._sock_fd)


@plant
class SwallowsErrorsTransport(SoundTransport):
    """seen in rloop 0.5: an exception in data_received is dropped, the connection goes on. Breaks TRN-13."""

    def _fatal_error(self, exc: BaseException, message: str = "") -> None:
        if isinstance(exc, OSError):
            super()._fatal_error(exc, message)


@plant
class DataAfterCloseTransport(SoundTransport):
    """invented: what has come by the time of close() is delivered after it. Breaks TRN-02."""

    def close(self) -> None:
        if not self._closing:
            try:
                data = self._sock.recv(65536)
            except OSError:
                data = b""
            if data:
                self._loop.call_soon(self._protocol.data_received, data)
        super().close()


@plant
class BatchesCallersBuffersTransport(SoundTransport):
    """seen in uvloop 0.23: what is written is kept as the caller's buffer until the turn is over. Breaks
    TRN-03."""

    batch: tuple[Any, ...] = ()

    def write(self, data: Any) -> None:
        if self._eof:
            super().write(data)
        if not self.batch:
            self._loop.call_soon(self.flush)
        self.batch = (*self.batch, data)

    def flush(self) -> None:
        batch, self.batch = self.batch, ()
        for data in batch:
            super().write(data)

    def close(self) -> None:
        self.flush()
        super().close()


@plant
class PartialSendLostTransport(SoundTransport):
    """invented: what the kernel did not take of a write is forgotten. Breaks TRN-03."""

    def write(self, data: Any) -> None:
        if self._closing or self._eof or self.get_write_buffer_size():
            super().write(data)
            return
        try:
            self._sock.send(data)
        except OSError:
            super().write(data)


@plant
class NeverPausesTransport(SoundTransport):
    """gh-127655: the buffer grows past the high-water mark and nobody is told. Breaks TRN-04."""

    def _maybe_pause_protocol(self) -> None:
        """Forgotten."""


@plant
class PausesAgainTransport(SoundTransport):
    """invented: every write above the high-water mark calls pause_writing once more. Breaks TRN-04."""

    def _maybe_pause_protocol(self) -> None:
        self._protocol_paused = False
        super()._maybe_pause_protocol()


@plant
class SwapsLimitsTransport(SoundTransport):
    """invented: get_write_buffer_limits() gives high before low. Breaks TRN-04."""

    def get_write_buffer_limits(self) -> tuple[int, int]:
        low, high = super().get_write_buffer_limits()
        return high, low


@plant
class CloseDropsTheRestTransport(SoundTransport):
    """23 gh-115514: what a partial send left over is dropped by close(). Breaks TRN-05."""

    def close(self) -> None:
        if self.get_write_buffer_size():
            self.abort()
        else:
            super().close()


@plant
class AbortHasAReasonTransport(SoundTransport):
    """invented: after abort(), connection_lost gets an exception. Breaks TRN-05."""

    def abort(self) -> None:
        self._force_close(ConnectionAbortedError("aborted"))


@plant
class PausesOnceTransport(SoundTransport):
    """asyncio before 3.7: a second pause_reading() raises RuntimeError. Breaks TRN-06."""

    def pause_reading(self) -> None:
        if self._paused:
            raise RuntimeError("already paused")
        super().pause_reading()


@plant
class ReadsThoughPausedTransport(SoundTransport):
    """seen in uvloop 0.23: pause_reading() in connection_made is undone when that returns. Breaks TRN-06."""

    def _add_reader(self, fd: int, callback: Callable[..., object], *args: Any) -> None:
        if not self._closing:
            self._loop._add_reader(fd, callback, *args)


@plant
class VainWriteRaisesTransport(SoundTransport):
    """seen in uvloop 0.23: write() after the connection is lost raises RuntimeError. Breaks TRN-07."""

    def write(self, data: Any) -> None:
        if self._sock is None:
            raise RuntimeError("the handler is closed")
        super().write(data)


@plant
class EofTruncatesTransport(SoundTransport):
    """invented: write_eof() does not wait for what is buffered. Breaks TRN-08."""

    def write_eof(self) -> None:
        if self.get_write_buffer_size() and not self._closing:
            self._sock.shutdown(socket.SHUT_WR)
            self._force_close(None)
        else:
            super().write_eof()


@plant
class ClosesWhenToldToStayTransport(SoundTransport):
    """invented: the result of eof_received does not matter. Breaks TRN-08."""

    def _read_ready__on_eof(self) -> None:
        self._protocol.eof_received()
        self.close()


@plant
class FormerProtocolTransport(SoundTransport):
    """invented: set_protocol() in mid-stream changes nothing. Breaks TRN-09."""

    def set_protocol(self, protocol: Any) -> None:
        if getattr(self, "_protocol", None) is None:
            super().set_protocol(protocol)


@plant
class FacelessTransport(SoundTransport):
    """invented: get_extra_info("peername") is None. Breaks TRN-10."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return None if name == "peername" else super().get_extra_info(name, default)


@TRANSPORT_FAULTS.plant
class SendsFromTheStart(OwnTransportsLoop):
    """invented: sendfile() ignores the offset. Breaks TRN-11."""

    async def sendfile(
        self, transport: Any, file: Any, offset: int = 0, count: int | None = None, *, fallback: bool = True
    ) -> int:
        del offset
        return await super().sendfile(transport, file, 0, count, fallback=fallback)


@TRANSPORT_FAULTS.plant
class PositionForgotten(SteppedLoop):
    """invented: sock_sendfile() leaves the file's position where it was. Breaks TRN-12."""

    async def sock_sendfile(self, sock: Any, file: Any, *args: Any, **kwargs: Any) -> int:
        before = file.tell()
        try:
            return await super().sock_sendfile(sock, file, *args, **kwargs)
        finally:
            file.seek(before)


@TRANSPORT_FAULTS.plant
class FallbackReadsOn(SteppedLoop):
    """invented: where sock_sendfile() has to read the file it does so from its position, whatever the offset.
    Breaks TRN-12."""

    async def _sock_sendfile_fallback(self, sock: Any, file: Any, offset: int, count: int | None) -> int:
        del offset
        return await super()._sock_sendfile_fallback(sock, file, 0, count)


@TRANSPORT_FAULTS.plant
class ServesUnasked(OwnTransportsLoop):
    """invented: start_serving=False is not heard. Breaks SRV-01."""

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:
        return await super().create_server(*args, **{**kwargs, "start_serving": True})


@TRANSPORT_FAULTS.plant
class CloseEndsConnections(OwnTransportsLoop):
    """seen in rloop 0.5: close() of a server ends its connections. Breaks SRV-01."""

    def _stop_serving(self, sock: socket.socket) -> None:
        for transport in list(self._transports.values()):
            transport.close()
        super()._stop_serving(sock)


def _out_of_files(sock: socket.socket) -> bool:
    """Whether an accept() would fail."""
    try:
        os.close(os.dup(sock.fileno()))
    except OSError:
        return True
    return False


@TRANSPORT_FAULTS.plant
class SpinsOutOfFiles(OwnTransportsLoop):
    """seen in zloop 0.0.1: a server out of file descriptors is ready for ever. Breaks SRV-02."""

    def _accept_connection(self, protocol_factory: Any, sock: socket.socket, *args: Any) -> None:
        if not _out_of_files(sock):
            super()._accept_connection(protocol_factory, sock, *args)


@TRANSPORT_FAULTS.plant
class DeafAfterFilesRanOut(OwnTransportsLoop):
    """invented: a server that ran out of file descriptors never accepts again. Breaks SRV-02."""

    def _accept_connection(self, protocol_factory: Any, sock: socket.socket, *args: Any) -> None:
        if _out_of_files(sock):
            self._remove_reader(sock.fileno())
        else:
            super()._accept_connection(protocol_factory, sock, *args)


@TRANSPORT_FAULTS.plant
class AcceptsOneATurn(OwnTransportsLoop):
    """32 bpo-27906: one connection is accepted per iteration. Breaks SRV-03."""

    def _accept_connection(
        self,
        protocol_factory: Any,
        sock: socket.socket,
        sslcontext: Any = None,
        server: Any = None,
        backlog: int = 100,  # noqa: ARG002 - reading one is the fault
        *timeouts: Any,
    ) -> None:
        super()._accept_connection(protocol_factory, sock, sslcontext, server, 1, *timeouts)


@TRANSPORT_FAULTS.plant
class StaleFileRefused(OwnTransportsLoop):
    """invented: a socket file that nobody listens on is in the way. Breaks SRV-04."""

    async def create_unix_server(self, protocol_factory: Any, path: Any = None, **kwargs: Any) -> Any:
        if os.path.exists(path):
            raise OSError(errno.EADDRINUSE, f"Address {path!r} is already in use")
        return await super().create_unix_server(protocol_factory, path, **kwargs)


@TRANSPORT_FAULTS.plant
class FactoryErrorDeafens(OwnTransportsLoop):
    """seen in uvloop 0.23: after a protocol factory raised, the server accepts nobody. Breaks SRV-05."""

    async def create_server(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        server: Any = None

        def factory() -> Any:
            try:
                return protocol_factory()
            except Exception:
                for sock in server.sockets:
                    self._remove_reader(sock.fileno())
                raise

        server = await super().create_server(factory, *args, **kwargs)
        return server


@plant
class KeepsItsWriterTransport(SoundTransport):
    """invented: when all is written, the transport goes on watching for writing. Breaks RES-09."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._write = self._write_ready
        self._write_ready = self._write_and_watch

    def _write_and_watch(self) -> None:
        self._write()
        if not self._buffer and not self._closing:
            self._loop._add_writer(self._sock_fd, lambda: None)
