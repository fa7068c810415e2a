"""Faults in TLS (rules TLS)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import contextlib
import ssl
from asyncio import sslproto
from typing import Any
from unittest import mock

from faulty_base import FaultBed, SteppedLoop

TLS_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

Reference: Any = sslproto.SSLProtocol  # type: ignore[attr-defined]


class SoundTls(Reference):  # type: ignore[misc]
    """CPython's protocol of TLS without what it breaks: what still comes after close() is read over."""

    def _do_shutdown(self) -> None:
        with contextlib.suppress(ssl.SSLError):
            while self._sslobj.read(self.max_size):
                pass
        super()._do_shutdown()


class TlsLoop(SteppedLoop):
    """The reference loop with a TLS of one's own; sound as it stands."""

    tls: Any = SoundTls

    def _make_ssl_transport(self, *arguments: Any, **keywords: Any) -> Any:
        with mock.patch.object(sslproto, "SSLProtocol", self.tls):
            return super()._make_ssl_transport(*arguments, **keywords)

    async def start_tls(self, *arguments: Any, **keywords: Any) -> Any:
        with mock.patch.object(sslproto, "SSLProtocol", self.tls):
            return await super().start_tls(*arguments, **keywords)


def plant(tls: type[Any]) -> type[Any]:
    """Plant a loop with this TLS; the label is its docstring."""
    members = {"__doc__": tls.__doc__, "__module__": __name__, "tls": tls}
    TLS_FAULTS.plant(type(tls.__name__, (TlsLoop,), members))
    return tls


@plant
class CloseCutsTls(SoundTls):
    """invented: close() drops what the socket has not taken yet. Breaks TLS-01."""

    def _start_shutdown(self) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._abort(None)
        else:
            super()._start_shutdown()


@plant
class CloseWithoutAWord(SoundTls):
    """invented: close() sends no close_notify. Breaks TLS-01."""

    def _do_shutdown(self) -> None:
        self._on_shutdown_complete(None)


@plant
class LastRecordKept(SoundTls):
    """invented: of a write longer than a record, the last part waits for the next write. Breaks TLS-01."""

    def _do_write(self) -> None:
        if len(self._write_backlog) == 1 and len(self._write_backlog[0]) > 16384:
            data = self._write_backlog.pop()
            self._write_backlog.append(data[:16384])
            super()._do_write()
            self._write_backlog.append(data[16384:])
        else:
            super()._do_write()


@TLS_FAULTS.plant
class AnyNameWillDo(TlsLoop):
    """invented: the name in the certificate is not looked at. Breaks TLS-02."""

    async def create_connection(self, *arguments: Any, ssl: Any = None, **keywords: Any) -> Any:
        if ssl is not None:
            ssl.check_hostname = False
        return await super().create_connection(*arguments, ssl=ssl, **keywords)


@plant
class MadeTooEarly(SoundTls):
    """invented: connection_made is told before the handshake is done. Breaks TLS-02."""

    def _start_handshake(self) -> None:
        if self._app_state == sslproto.AppProtocolState.STATE_INIT:
            self._app_state = sslproto.AppProtocolState.STATE_CON_MADE
            self._app_protocol.connection_made(self._get_app_transport())
        super()._start_handshake()


@plant
class FailureStaysOpen(SoundTls):
    """invented: the socket of a handshake that failed is never closed. Breaks TLS-02."""

    kept: list[Any] = []  # noqa: RUF012 - shared, so that nothing is collected

    def _fatal_error(self, _exc: BaseException, _message: str = "") -> None:
        self.kept.append(self._transport)
        self._transport.pause_reading()
        self._transport = mock.Mock()


@plant
class EndlessHandshake(SoundTls):
    """seen in uvloop 0.23, on Unix sockets: ssl_handshake_timeout is not heeded. Breaks TLS-03."""

    def _check_handshake_timeout(self) -> None:
        """Forgotten."""


@plant
class LimitAfterTheHandshake(SoundTls):
    """invented: the limit of the handshake ends connections that are made, too. Breaks TLS-03."""

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        self._handshake_timeout_handle = None
        super()._on_handshake_complete(handshake_exc)

    def _check_handshake_timeout(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@plant
class EndlessShutdown(SoundTls):
    """seen in uvloop 0.23, on Unix sockets: ssl_shutdown_timeout is not heeded. Breaks TLS-04."""

    def _check_shutdown_timeout(self) -> None:
        """Forgotten."""


@plant
class ImpatientShutdown(SoundTls):
    """invented: nobody waits for the peer's close_notify. Breaks TLS-04."""

    def _do_shutdown(self) -> None:
        super()._do_shutdown()
        if self._transport is not None:
            self._loop.call_soon(self._transport.close)


@TLS_FAULTS.plant
class ShutdownMindsData(SteppedLoop):
    """seen in CPython 3.13: what the peer sends after close() is an error, which drops what is still to be
    sent. Breaks TLS-05."""


@plant
class RecordsAfterClose(SoundTls):
    """invented: what comes before the peer's close_notify is delivered after close(). Breaks TLS-06."""

    def _do_shutdown(self) -> None:
        with contextlib.suppress(ssl.SSLError):
            while data := self._sslobj.read(self.max_size):
                self._app_protocol.data_received(data)
        super()._do_shutdown()


@plant
class TrailDropped(SoundTls):
    """invented: what comes together with close_notify is dropped. Breaks TLS-07."""

    def _do_read__copied(self) -> None:
        came = []
        try:
            while data := self._sslobj.read(self.max_size):
                came.append(data)
        except ssl.SSLError:
            if came:
                self._app_protocol.data_received(b"".join(came))
        else:
            self._call_eof_received()
            self._start_shutdown()


@plant
class CertificateUntold(SoundTls):
    """invented: get_extra_info("peercert") is None. Breaks TLS-08."""

    def _get_extra_info(self, name: str, default: Any = None) -> Any:
        return None if name == "peercert" else super()._get_extra_info(name, default)


@plant
class PauseAtTheEndLoses(SoundTls):
    """seen in uvloop 0.23: what comes while reading is paused is lost when the peer goes. Breaks TLS-09."""

    def eof_received(self) -> Any:
        if self._app_reading_paused:
            self._abort(None)
            return None
        return super().eof_received()


@TLS_FAULTS.plant
class UpgradeForgetsTheEnd(TlsLoop):
    """invented: a protocol that came with start_tls is never told connection_lost. Breaks TLS-10."""

    async def start_tls(self, *arguments: Any, **keywords: Any) -> Any:
        made = await super().start_tls(*arguments, **keywords)
        made._ssl_protocol._app_state = sslproto.AppProtocolState.STATE_INIT
        return made


@TLS_FAULTS.plant
class UpgradeLeaks(TlsLoop):
    """invented: when start_tls fails, the plain transport stays open. Breaks TLS-11."""

    kept: list[Any] = []  # noqa: RUF012 - shared, so that nothing is collected

    async def start_tls(self, transport: Any, *arguments: Any, **keywords: Any) -> Any:
        try:
            with mock.patch.multiple(transport, close=mock.DEFAULT, _force_close=mock.DEFAULT):
                return await super().start_tls(transport, *arguments, **keywords)
        except BaseException:
            self.kept.append(transport)
            transport.pause_reading()
            raise
