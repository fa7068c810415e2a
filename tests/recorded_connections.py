"""A TCP connection with a protocol that writes down what it is told, for tests of transports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from muxloop import EventLoop


class Recorder(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self, *, keep_open: bool = False) -> None:
        self.events: list[str] = []
        self.data = bytearray()
        self.error: BaseException | None = None
        self.transport: Any = None
        self.keep_open = keep_open
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        if self.events[-1] != "data":
            self.events.append("data")
        self.data += data

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.keep_open

    def connection_lost(self, error: Exception | None) -> None:
        self.events.append("lost")
        self.error = error
        self.lost.set_result(None)

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


Connected = tuple[Any, Recorder, socket.socket]


async def connect(loop: EventLoop, factory: Callable[[], Any] = Recorder) -> Connected:
    """A transport with its protocol, and the peer's non-blocking socket; TCP, with small buffers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        ours = socket.socket()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        ours.setblocking(False)
        await loop.sock_connect(ours, listener.getsockname())
        theirs, _ = await loop.sock_accept(listener)
    transport, protocol = await loop.create_connection(factory, sock=ours)
    return transport, protocol, theirs


async def read_all(loop: EventLoop, sock: socket.socket) -> bytes:
    """Everything until the end of the stream."""
    received = bytearray()
    while data := await loop.sock_recv(sock, 65536):
        received += data
    return bytes(received)
