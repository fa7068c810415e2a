"""One connection of a play: the protocol that is told things, and the peer, a plain socket.

What is sent is a pattern by its position in the stream, so that both ends know whether they got what they
should have got without anything being kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import select
import socket
import struct
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from ..program import Program

if TYPE_CHECKING:
    from .transports import Transports

PERIOD = 65521
"""A prime: no chunk of a likely size can take the place of another."""
_PATTERN = bytes(random.Random(1).choices(range(1, 256), k=PERIOD))
_SMALL_BYTES = 64
_LOOK_EACH_S = 0.05
"""How often who waits for a pipe looks whether its peer is gone: a pipe has no shutdown() that tells."""
SEND_BUFFER_BYTES = 1 << 16
"""So small that what is written is soon more than the kernel takes."""
SMALL_BUFFER = (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def payload(start: int, size: int) -> bytes:
    """The bytes from that position of a stream; none of them is zero."""
    begin = start % PERIOD
    return (_PATTERN * (size // PERIOD + 2))[begin : begin + size]


class Heard:
    """What one end got, compared with what it should get."""

    def __init__(self) -> None:
        self.total = 0
        self.wrong_at: int | None = None

    def take(self, data: Any) -> None:
        got = bytes(data)
        if self.wrong_at is None:
            meant = payload(self.total, len(got))
            if got != meant:
                self.wrong_at = self.total + next(i for i, b in enumerate(got) if b != meant[i])
        self.total += len(got)


class Peer:
    """The far end: a plain socket that the program drives."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self.names = [repr(sock.getpeername()), repr(sock.getsockname())]
        """The addresses of the connection, the loop's side first."""
        self.sent = 0
        self.heard = Heard()
        self.ended = ""
        """How reading ended: "eof", or the name of an error."""
        self._was_reset = ""
        """The error by which sending learned of a reset: reading ends like a stream after that."""
        self.gone = False
        self.reader: threading.Thread | None = None

    def send(self, size: int) -> None:
        try:
            self.sent += self._sock.send(payload(self.sent, size))
        except ConnectionResetError as error:
            self._was_reset = type(error).__name__
        except OSError:
            pass

    def receive(self, size: int) -> bool:
        """Read once; false when there will be no more."""
        try:
            data = self._sock.recv(size)
        except BlockingIOError:
            return True
        except OSError as error:
            self.ended = type(error).__name__
            return False
        self.heard.take(data)
        if not data:
            self.ended = self._was_reset or "eof"
        return bool(data)

    def read_to_the_end(self) -> None:
        """In a thread of its own, whatever the loop does."""
        if self.reader is None and not self.gone:
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()

    def _read(self) -> None:
        each_s = None if isinstance(self._sock, socket.socket) else _LOOK_EACH_S
        with contextlib.suppress(ValueError):  # closed meanwhile
            while not self.gone:
                ready, _, _ = select.select([self._sock], [], [], each_s)
                if ready and not self.receive(1 << 16):
                    return

    def end_of_stream(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        """A reset takes what is under way along; between Unix sockets it is a common close."""
        if self.gone:
            return
        self.gone = True
        if reset:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.reader is not None:  # it would read on, from whatever gets the number next
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            self.reader.join()
        self._sock.close()


class Link:
    """A transport with its protocol and peer."""

    def __init__(self, number: int, way: str) -> None:
        self.number, self.way = number, way
        self.peer: Peer | None = None
        self.listener: socket.socket | None = None
        """Where the peer waits for the connection."""
        self.made: asyncio.Future[None] | None = None
        self.transport: Any = None
        self.kind = "streaming"
        self.protocols = 0
        self.keep_open = False
        self.reactions: dict[str, Program] = {}
        self.times: Counter[str] = Counter()
        self.heard = Heard()
        self.written = 0
        self.during: list[str] = []
        """The calls on the transport that are under way, the innermost last."""
        self.paused = False
        self.closing = False
        """close() or abort() was called; nothing more is to be heard."""
        self.lost = False
        self.disturbed = False
        """The protocol raised: what is heard from then on is left open."""


class Talker(asyncio.Protocol):
    """A protocol that passes on what it is told."""

    def __init__(self, stage: Transports, link: Link) -> None:
        self.stage, self.link = stage, link
        link.protocols += 1
        self.number = link.protocols

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        link = self.link
        link.transport = transport
        if link.listener is not None:
            with link.listener as listener:
                link.peer = Peer(listener.accept()[0])
        if link.way in ("client", "server"):
            with contextlib.suppress(Exception):  # what becomes of it is for TRN-10
                transport.get_extra_info("socket").setsockopt(*SMALL_BUFFER)
        if link.made is not None and not link.made.done():
            link.made.set_result(None)
        self.stage.told(link, "connection_made")

    def data_received(self, data: bytes) -> None:
        self.link.heard.take(data)
        self.stage.told(
            self.link,
            "data_received",
            to=self.number,
            count=len(data),
            total=self.link.heard.total,
            wrong_at=self.link.heard.wrong_at,
        )

    def eof_received(self) -> bool:
        self.stage.told(self.link, "eof_received", total=self.link.heard.total, kept=self.link.keep_open)
        if not self.link.keep_open:
            self.stage.leaves(self.link)  # the transport closes itself
        return self.link.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.link.lost = True
        self.stage.told(self.link, "connection_lost", exception=repr(exc) if exc is not None else None)

    def pause_writing(self) -> None:
        self.stage.told(self.link, "pause_writing")

    def resume_writing(self) -> None:
        self.stage.told(self.link, "resume_writing")


class BufferedTalker(Talker, asyncio.BufferedProtocol):
    """The same, with a buffer of its own that it hands out."""

    def __init__(self, stage: Transports, link: Link) -> None:
        super().__init__(stage, link)
        self._buffer = bytearray(_SMALL_BYTES if link.kind == "small buffer" else 1 << 16)

    def get_buffer(self, sizehint: int) -> bytearray:
        self.stage.told(self.link, "get_buffer", sizehint=sizehint, noted=False)
        return bytearray() if self.link.kind == "empty buffer" else self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._buffer[:nbytes]))


def asked(transport: Any, method: str, *arguments: Any) -> Any:
    """What a method of a transport returns; the error in words when it raises."""
    try:
        return getattr(transport, method)(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def state_of(transport: Any) -> dict[str, Any]:
    """What a transport says of its buffer, and of whether it is closing."""
    limits = asked(transport, "get_write_buffer_limits")
    return {
        "size": asked(transport, "get_write_buffer_size"),
        "limits": list(limits) if isinstance(limits, tuple) else limits,
        "closing": asked(transport, "is_closing"),
    }


def talker(stage: Transports, link: Link) -> Talker:
    """The protocol that the link wants."""
    return Talker(stage, link) if link.kind == "streaming" else BufferedTalker(stage, link)


def connected(way: str) -> tuple[socket.socket, socket.socket]:
    """Two connected stream sockets; the first has a small send buffer."""
    if way == "tcp":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            peer = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
    else:
        ours, peer = socket.socketpair()
    ours.setsockopt(*SMALL_BUFFER)
    ours.setblocking(False)
    return ours, peer
