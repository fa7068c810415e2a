"""OpenSSL over two memory buffers: bytes in, bytes out, and no knowledge of transports, protocols or time.

OpenSSL asks for more input by raising; here every such question is an answer: False, 0, or "not yet".

Source: https://docs.python.org/3/library/ssl.html#memory-bio-support; SSL_read(3), SSL_shutdown(3)
"""

from __future__ import annotations

from typing import Any, cast

from .tls_options import TlsOptions, ssl

if ssl is not None:
    # Some OpenSSLs report a want of input from a memory buffer as a failed system call.
    _NOT_YET = (ssl.SSLWantReadError, ssl.SSLSyscallError)


class TlsEngine:
    """One side of a connection. Its methods raise ssl.SSLError when what the peer says makes no sense."""

    __slots__ = ("_incoming", "_outgoing", "_ssl", "ended")

    def __init__(self, options: TlsOptions) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = options.context.wrap_bio(
            self._incoming, self._outgoing, server_side=options.server_side, server_hostname=options.hostname
        )
        self.ended = False  # the peer has sent close_notify

    def feed(self, encrypted: memoryview) -> None:
        """Take what came from the peer; it is copied."""
        self._incoming.write(encrypted)

    @property
    def has_output(self) -> bool:
        """Whether there is something to be sent to the peer."""
        return self._outgoing.pending > 0

    def take_output(self) -> bytes:
        """What is to be sent to the peer."""
        return self._outgoing.read()

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is done."""
        try:
            self._ssl.do_handshake()
        except _NOT_YET:
            return False
        return True

    def facts(self) -> dict[str, Any]:
        """What ``get_extra_info`` tells once hands were shaken."""
        return {
            "peercert": self._ssl.getpeercert(),
            "cipher": self._ssl.cipher(),
            "compression": self._ssl.compression(),
            "ssl_object": self._ssl,
        }

    def encrypt(self, data: bytes | bytearray | memoryview) -> int:
        """Encrypt; how many bytes were taken: 0 while the peer has to say something first."""
        try:
            return self._ssl.write(data)
        except _NOT_YET:
            return 0

    def decrypt(self, buffer: memoryview) -> int:
        """Fill ``buffer`` as far as possible; 0 when nothing is there, or the peer has ``ended``."""
        size, room = 0, len(buffer)
        read, incoming, pending = self._ssl.read, self._incoming, self._ssl.pending
        try:
            while size < room:
                count = cast(int, read(room - size, buffer[size:] if size else buffer))
                if not count:
                    self.ended = True
                    break
                size += count
                # Asking is cheaper than being told by an exception. (echo 1 KiB: 2 of 21 us)
                if not incoming.pending and not pending():
                    break
        except ssl.SSLZeroReturnError:  # its name once we have said goodbye, too
            self.ended = True
        except _NOT_YET:
            pass
        except ssl.SSLError:
            if not size:
                raise  # else at the next call: OpenSSL does not forget it
        return size

    @property
    def has_input(self) -> bool:
        """Whether there is something to decrypt, be it a part of a record."""
        return self._incoming.pending > 0 or self._ssl.pending() > 0

    def say_goodbye(self) -> None:
        """Send close_notify. What the peer said before must have been decrypted, or it is an SSLError."""
        try:
            self._ssl.unwrap()
        except _NOT_YET:
            return
        self.ended = True
