"""The far end of a TLS connection, in a thread that waits for its socket and for the program only.

OpenSSL works on buffers in memory here. So the socket never blocks, what the peer does wrong is done to the
byte, and a loop that misbehaves in turn cannot keep the thread: the program ends it at any time.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from pathlib import Path

from .connections import Peer, payload

CERTIFICATE = Path(__file__).with_name("certificate.pem")
"""For localhost, signed by itself, valid until 2120; its key stands beside it and is no secret."""
GREETING = b"250 STARTTLS\r\n"
"""What is said in plain text before start_tls: this by the peer, and the answer by the loop."""
ANSWER = b"220 go ahead\r\n"
_NO_TLS = b"220 this side has never heard of TLS\r\n"
_RECORD_BYTES = 1 << 14
"""The largest piece of plain text in one record: RFC 8446, 5.1."""
_TAKEN_BYTES = 1 << 16


def server_context() -> ssl.SSLContext:
    """Sends no tickets: a client that goes without having read them would reset the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.num_tickets = 0
    return context


def client_context(*, trusting: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusting:
        context.load_verify_locations(CERTIFICATE)
    return context


class TlsPeer(Peer):
    """A server or client that shakes hands by itself; for the rest the program drives it."""

    def __init__(
        self, sock: socket.socket, manner: str, *, server_side: bool, upgraded: bool = False
    ) -> None:
        super().__init__(sock)
        self.manner = manner
        self.cut = False
        """Nothing more can come: the loop has closed its end, or the peer its own."""
        self._phase = "shaking hands"
        """Then "talking"; "over" when there was no handshake, or after one that failed."""
        self._unsent = bytearray(GREETING if upgraded else b"")
        self._plain_left = len(ANSWER) if upgraded and not server_side else 0
        """So many bytes come in plain text before the first record."""
        self._text = bytearray()
        """What is still to be sent under TLS."""
        self._reading = self._ending = self._said_farewell = self._leaving = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = self._context(server_side).wrap_bio(
            self._incoming, self._outgoing, server_side, None if server_side else "localhost"
        )
        self._speaks_first = not (upgraded and server_side)
        """Whether plain text may come before there is anything to answer."""
        if manner == "silent":
            self._phase = "over"
        self._bell, self._ear = socket.socketpair()
        self._lock = threading.Lock()
        self.thread = threading.Thread(target=self._live, daemon=True)
        """Ends when the peer is cut off, or closed by the program."""
        self.thread.start()

    def _context(self, server_side: bool) -> ssl.SSLContext:
        context = server_context() if server_side else client_context(trusting=self.manner != "unknown")
        if self.manner == "tls 1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    # -- what the program has it do ----------------------------------------------------------------------

    def send(self, size: int) -> None:
        with self._lock:
            self._text += payload(self.sent, size)
            self.sent += size
            self._step()
        self._wake()

    def receive(self, size: int) -> bool:
        with self._lock:
            if self._phase == "talking" and size:
                self._take_in(size)
                self._step()
            return not self.ended

    def read_to_the_end(self) -> None:
        if self.reader is None and not self.gone:
            self.reader = self.thread
            self._reading = True
            self._wake()

    def end_of_stream(self) -> None:
        """Send close_notify; records may still come from the other side."""
        with self._lock:
            self._ending = True
            self._step()
        self._wake()

    def close(self, *, reset: bool = False) -> None:
        if self.gone:
            return
        with self._lock:
            self._step()
            self._leaving = True
        self._wake()
        self.thread.join()
        super().close(reset=reset)
        self._bell.close()
        self._ear.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.send(b"!")

    # -- the thread --------------------------------------------------------------------------------------

    def _live(self) -> None:
        self._ear.setblocking(False)
        with self._lock:
            self._step()
        while not (self._leaving or self.cut):
            wanted = [self._ear, *([self._sock] if self._phase != "talking" or self._reading else [])]
            readable, _, _ = select.select(wanted, [self._sock] if self._unsent else [], [])
            with self._lock:
                if self._ear in readable:
                    self._ear.recv(4096)
                if self._sock in readable:
                    self._take_in(_TAKEN_BYTES)
                self._step()

    def _take_in(self, size: int) -> None:
        try:
            data = self._sock.recv(size)
        except BlockingIOError:
            return
        except OSError as error:
            self._is_cut(type(error).__name__)
            return
        if not data:
            self._is_cut("no close_notify")
        plain, self._plain_left = self._plain_left, max(0, self._plain_left - len(data))
        self._incoming.write(data[plain:])

    def _is_cut(self, how: str) -> None:
        self.cut = True
        self.ended = self.ended or how

    def _step(self) -> None:
        """Do all that can be done without waiting."""
        if self._leaving or self._sock.fileno() < 0:
            return
        if self._phase == "shaking hands":
            # The loop may call itself connected when its last message has not been looked at here.
            self._take_in(_TAKEN_BYTES)
            if not self._plain_left:
                self._shake_hands()
        if self._phase == "talking":
            self._decrypt()
            self._encrypt()
        self._give_out()

    def _give_out(self) -> None:
        self._unsent += self._outgoing.read()
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:  # nobody listens any more; what has come may still be read
            self._unsent.clear()
            self._text.clear()

    # -- TLS ---------------------------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        if self.manner == "plain":
            if self._speaks_first or self._incoming.pending:
                self._unsent += _NO_TLS
                self._phase = "over"
            return
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            if self.manner in ("vanishing", "resetting"):
                self._vanish()
        except ssl.SSLError:
            self._give_out()  # the alert that says why
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
            self._phase = "over"
        else:
            self._phase = "talking"

    def _vanish(self) -> None:
        """Half of a message is the last that the other side gets, once there is a message to send."""
        message = self._outgoing.read()
        if not message:
            return
        with contextlib.suppress(OSError):
            self._sock.send(message[: len(message) // 2])
        if self.manner == "resetting":
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()
        self._phase = "over"
        self._is_cut("left")

    def _encrypt(self) -> None:
        """Record by record, as long as the socket takes them."""
        self._give_out()
        while self._text and not self._unsent:
            self._tls.write(self._text[:_RECORD_BYTES])
            del self._text[:_RECORD_BYTES]
            self._give_out()
        if self._ending and not self._text:
            self._say_farewell()

    def _decrypt(self) -> None:
        try:
            while data := self._tls.read(_TAKEN_BYTES):
                self.heard.take(data)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            pass  # both sides have ended
        except ssl.SSLError as error:
            self.ended, self._phase = type(error).__name__, "over"
            return
        self.ended = self.ended or "eof"
        if self.manner != "rude":
            self._text.clear()  # who has ended wants no more
            self._say_farewell()

    def _say_farewell(self) -> None:
        if self._said_farewell:
            return
        self._said_farewell = True
        with contextlib.suppress(ssl.SSLError):  # it would like to read the other side's
            self._tls.unwrap()
