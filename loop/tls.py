"""TLS: a transport for the protocol above it, and a protocol of the stream transport below it.

The record layer and the handshake are OpenSSL's (``tls_engine.py``); what is written waits in
``tls_writing.py``. What is decided here:

- ``close`` sends what was written, then close_notify, and waits for the peer's. What the peer sends
  meanwhile is read and dropped: to OpenSSL's SSL_shutdown it is an error, over which CPython's loop drops
  what is still to be sent (gh-125981).
- What a failed handshake has to say to the peer (an alert) is sent before the connection ends.
- Encrypted and plain bytes pass through the loop's one receive buffer; a connection at rest owns none.
- A peer that ends its stream without close_notify has ended it: RFC 8446, section 6.1, lets applications
  that know their lengths accept that, and most servers of the web do it.

Source: https://docs.python.org/3/library/asyncio-protocol.html
"""

from __future__ import annotations

import asyncio
from asyncio.log import logger
from contextvars import Context
from typing import TYPE_CHECKING, Any, cast

from .tls_options import TlsOptions
from .tls_writing import TlsState, TlsWriting

if TYPE_CHECKING:
    from .handles import TimerHandle
    from .streaming import Streaming
    from .transports import SocketTransport


class TlsTransport(TlsWriting, asyncio.BufferedProtocol):
    """A transport that encrypts, over another one, whose protocol it is.

    ``waiter`` is done when hands were shaken, and fails as the handshake does. ``tells_made`` is whether the
    protocol is then told ``connection_made``.
    """

    __slots__ = (
        "__weakref__",
        "_eof_told",
        "_options",
        "_peer_done",
        "_reading",
        "_said_goodbye",
        "_tells_made",
        "_timer",
        "_waiter",
    )

    _start_tls_compatible = True  # aiohttp asks for it before it tries TLS within TLS

    def __init__(
        self,
        loop: Streaming,
        protocol: asyncio.BaseProtocol,
        options: TlsOptions,
        waiter: asyncio.Future[None] | None = None,
        *,
        tells_made: bool = True,
    ) -> None:
        super().__init__(loop, protocol, options)
        self._options = options
        self._waiter = waiter
        self._tells_made = tells_made
        self._timer: TimerHandle | None = None  # of the handshake, then of the shutdown
        self._reading = True
        self._peer_done = False  # it has ended its stream, by close_notify or without
        self._eof_told = False
        self._said_goodbye = False

    def __repr__(self) -> str:
        state = self._state.name.lower()
        return f"<{type(self).__name__} {state} buffered={self._backlog_size} over {self._raw!r}>"

    @property
    def _context(self) -> Context:
        """In which the protocol is called."""
        return self._below._context

    # What is known about the connection.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """sslcontext, ssl_object, peercert, cipher and compression; everything else is the socket's."""
        if name in self._extra:
            return self._extra[name]
        return default if self._raw is None else self._raw.get_extra_info(name, default)

    # Reading.

    def is_reading(self) -> bool:
        """Whether data would be delivered."""
        return self._reading and not self.is_closing()

    def pause_reading(self) -> None:
        """Deliver no data until ``resume_reading``; may be repeated."""
        if self._reading and self._state is TlsState.OPEN:
            self._reading = False
            self._below.pause_reading()

    def resume_reading(self) -> None:
        """Deliver data again; may be repeated."""
        if not self._reading and self._state is TlsState.OPEN:
            self._reading = True
            # First: the end of the stream comes after its data.
            self._loop.call_soon(self._deliver, context=self._context)
            self._below.resume_reading()

    # What the transport below tells. `pause_writing` need not be heard: `_flush` asks for the buffer's size.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        raw = self._raw = self._below = cast("SocketTransport | TlsTransport", transport)
        if not self._tells_made:
            self._paused = raw._paused  # the protocol was told so, and waits for the contrary
        # Zero: we hear at once when the socket has taken all.
        raw.set_write_buffer_limits(0)
        timeout = self._options.handshake_timeout
        self._timer = self._loop.call_later(timeout, self._give_up_handshake, context=self._context)
        if self._loop.get_debug():
            logger.debug("%r starts the TLS handshake", self)
        self._shake_hands()

    def resume_writing(self) -> None:
        """Send more."""
        if self._state is not TlsState.LOST:
            self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the interface's
        """Where encrypted bytes are to be put; they are taken before anything else happens."""
        return self._loop._receive_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Go on with ``nbytes`` of encrypted bytes."""
        self._engine.feed(self._loop._receive_buffer[:nbytes])
        if self._state is TlsState.SHAKING_HANDS:
            self._shake_hands()
        elif self._state is TlsState.OPEN:
            self._deliver()
        elif self._state is TlsState.CLOSING:
            self._drop_incoming()
            self._flush()

    def eof_received(self) -> bool:
        """The peer's stream has ended: by close_notify before, or without a word."""
        self._peer_done = True
        if self._state is TlsState.SHAKING_HANDS:
            self._end_handshake(
                ConnectionResetError("the peer ended the connection during the TLS handshake")
            )
            return False
        if self._state is TlsState.OPEN:
            self._tell_eof()
        elif self._state is TlsState.CLOSING:
            self._flush()
        return True  # what we still have to send may go out

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the protocol, if it was told of the connection."""
        made = self._state is not TlsState.SHAKING_HANDS or not self._tells_made
        self._state = TlsState.LOST
        self._stop_timer()
        self._backlog.clear()
        self._backlog_size = 0
        protocol, self._protocol = self._protocol, cast(asyncio.BaseProtocol, None)
        self._settle_waiter(exc or ConnectionResetError("the connection was lost during the TLS handshake"))
        self._settle_drained()
        if made:
            protocol.connection_lost(exc)

    # The handshake.

    def _shake_hands(self) -> None:
        try:
            done = self._engine.shake_hands()
            if done:
                self._extra.update(self._engine.facts())
        except Exception as error:
            self._send_encrypted()  # the alert that tells the peer why
            self._end_handshake(error)
            return
        self._send_encrypted()
        if not done:
            return
        if self._loop.get_debug():
            logger.debug("%r: the TLS handshake is done", self)
        self._stop_timer()
        self._state = TlsState.OPEN
        try:
            if self._tells_made:
                self._tell_made()
        finally:
            self._settle_waiter(None)
        self._deliver()

    def _give_up_handshake(self) -> None:
        limit = self._options.handshake_timeout
        self._end_handshake(
            ConnectionAbortedError(
                f"the TLS handshake took longer than {limit} seconds (ssl_handshake_timeout)"
            )
        )

    def _end_handshake(self, error: BaseException) -> None:
        self._settle_waiter(error)
        self._fail(error, "The TLS handshake failed")

    def _settle_waiter(self, error: BaseException | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # Decrypting.

    def _deliver(self) -> None:
        """Hand over what has come, until there is no more or the protocol wants no more."""
        what = "decrypt"
        try:
            while self._state is TlsState.OPEN and self._reading:
                protocol = self._protocol
                if isinstance(protocol, asyncio.BufferedProtocol):
                    what = "protocol.get_buffer()"
                    buffer = memoryview(protocol.get_buffer(-1))
                    if not len(buffer):
                        raise RuntimeError("get_buffer() returned an empty buffer")
                    what = "decrypt"
                    size = self._decrypt(buffer)
                    if size:
                        what = "protocol.buffer_updated()"
                        protocol.buffer_updated(size)
                else:
                    buffer = self._loop._receive_buffer
                    size = self._decrypt(buffer)
                    if size:
                        data = bytes(buffer[:size])
                        what = "protocol.data_received()"
                        protocol.data_received(data)  # type: ignore[attr-defined]
                what = "decrypt"
                if not size or not self._engine.has_input:
                    break
            if self._state is TlsState.OPEN:
                if self._peer_done and self._reading:
                    what = "protocol.eof_received()"
                    self._tell_eof()
                elif self._backlog or self._engine.has_output:
                    self._flush()  # what waited for the peer, and our part of a key update
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._send_encrypted()
            self._fail(error, f"Fatal error: {what} failed.")

    def _decrypt(self, buffer: memoryview) -> int:
        size = self._engine.decrypt(buffer)
        if self._engine.ended:
            self._peer_done = True
        return size

    def _tell_eof(self) -> None:
        if not self._eof_told:
            self._eof_told = True
            try:
                if self._protocol.eof_received():  # type: ignore[attr-defined]
                    logger.warning("%r: a true result of eof_received() has no effect under TLS", self)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._fail(error, "Fatal error: protocol.eof_received() failed.")
        self.close()

    # The end.

    def close(self) -> None:
        """Send what was written and close_notify, wait for the peer's, then close; no more data is delivered.

        Gives up after ssl_shutdown_timeout, telling the protocol TimeoutError. May be repeated.
        """
        if self._state is TlsState.SHAKING_HANDS:
            self.abort()
        elif self._state is TlsState.OPEN:
            self._state = TlsState.CLOSING
            timeout = self._options.shutdown_timeout
            self._timer = self._loop.call_later(timeout, self._give_up_shutdown, context=self._context)
            self._below.resume_reading()  # or the peer's close_notify would not be seen
            self._drop_incoming()
            self._flush()

    def abort(self) -> None:
        """Close at once and drop what is buffered. May be repeated."""
        self._lose(None)

    def _drop_incoming(self) -> None:
        """Read what nobody wants any more, up to the peer's close_notify."""
        try:
            while not self._peer_done and self._decrypt(self._loop._receive_buffer):
                pass
        except OSError:  # an ssl.SSLError
            self._peer_done = True  # what it says makes no sense: nothing more is expected of it

    def _say_goodbye(self) -> None:
        """Once all is encrypted: close_notify; and once the peer has said the same, the end."""
        if not self._said_goodbye:
            self._said_goodbye = True
            try:
                self._engine.say_goodbye()
            except OSError:  # an ssl.SSLError
                self._peer_done = True
            self._peer_done = self._peer_done or self._engine.ended
            self._send_encrypted()
        if self._peer_done:
            self._stop_timer()
            self._below.close()

    def _give_up_shutdown(self) -> None:
        limit = self._options.shutdown_timeout
        self._lose(TimeoutError(f"SSL shutdown timed out: no close_notify in {limit} seconds"))

    def _lose(self, error: BaseException | None) -> None:
        if self._raw is not None and self._state is not TlsState.LOST:
            if self._state is not TlsState.SHAKING_HANDS:
                self._state = TlsState.CLOSING
            self._said_goodbye = True
            self._stop_timer()
            self._raw._lose(error)
