"""Servers, and clients that come, go, reset, close by halves, stall and flood."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from typing import cast

from ledger import Numbered, Soak, chance

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, no time
_ADDRESS = ("127.0.0.1", 0)


class _Echo(asyncio.Protocol):
    """Sends back what it gets, and reads no faster than it can write."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()


class _Client(asyncio.Protocol):
    def __init__(self, soak: Soak, stream: Numbered) -> None:
        self._soak = soak
        self.stream = stream
        self.writable = asyncio.Event()
        self.writable.set()
        self.lost: asyncio.Future[None] = soak.loop.create_future()
        self.arrived = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.stream.feed(data)
        self.arrived.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, error: BaseException | None) -> None:  # noqa: ARG002 - resets are ours
        self.writable.set()
        self.arrived.set()
        if self.lost.done():
            self._soak.fault("connections: connection_lost came twice")
        else:
            self.lost.set_result(None)

    async def all_back(self) -> None:
        while self.stream.received < self.stream.sent and not self.lost.done():
            self.arrived.clear()
            await self.arrived.wait()


async def echo_clients(soak: Soak, rng: random.Random) -> None:
    """A server, and several clients at once, each with a manner of its own."""
    server = await soak.loop.create_server(_Echo, *_ADDRESS)
    address = server.sockets[0].getsockname()
    manners = [rng.choice(list(_MANNERS)) for _ in range(rng.randint(1, 6))]
    async with server, asyncio.TaskGroup() as group:
        for number, manner in enumerate(manners):
            stream = Numbered(f"echo client {number} ({manner})")
            group.create_task(_visit(soak, random.Random(rng.random()), address, stream, manner))


async def _visit(
    soak: Soak, rng: random.Random, address: tuple[str, int], stream: Numbered, manner: str
) -> None:
    transport, client = await soak.loop.create_connection(lambda: _Client(soak, stream), *address)
    messages, largest = _MANNERS[manner]
    if manner == "stall":
        transport.pause_reading()
    for _ in range(rng.randint(1, messages)):
        transport.write(stream.next(rng.randint(0, largest)))
        if chance(rng, 0.2):
            await asyncio.sleep(rng.choice((0, 0.0005)))
        if manner != "stall":
            await client.writable.wait()
    if manner == "stall":
        await asyncio.sleep(rng.random() * 0.02)
        transport.resume_reading()
    if manner == "reset":
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    elif manner == "half-close":
        transport.write_eof()
    else:
        await client.all_back()
        transport.close()
    await client.lost
    if manner != "reset":
        soak.settle(stream)


# How many messages at most, and the largest.
_MANNERS = {
    "polite": (40, 200),
    "half-close": (40, 2000),
    "reset": (40, 20_000),
    "stall": (60, 20_000),
    "flood": (30, 200_000),
}


async def streams(soak: Soak, rng: random.Random) -> None:
    """asyncio's streams; one reader of them is cancelled while it waits."""
    stream = Numbered("streams")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(rng.randint(1, 4000)):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, *_ADDRESS)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(rng.randint(1, 30)):
            writer.write(stream.next(rng.randint(0, 3000)))
            await writer.drain()
            waiting = asyncio.ensure_future(reader.read(65536))
            await asyncio.sleep(0)
            if chance(rng, 0.3) and not waiting.done():
                waiting.cancel()
            try:
                stream.feed(await waiting)
            except asyncio.CancelledError:
                if not waiting.cancelled():
                    raise
        writer.write_eof()
        while data := await reader.read(65536):
            stream.feed(data)
        writer.close()
        await writer.wait_closed()
    soak.settle(stream)


async def sock_calls(soak: Soak, rng: random.Random) -> None:
    """The loop's own calls on sockets, one of which is cancelled while it waits."""
    loop, stream = soak.loop, Numbered("sock calls")
    with socket.create_server(_ADDRESS) as listener, socket.socket() as ours:
        listener.setblocking(False)
        ours.setblocking(False)
        accepting = asyncio.ensure_future(loop.sock_accept(listener))
        await loop.sock_connect(ours, listener.getsockname())
        theirs, _ = await accepting
        with theirs:
            theirs.setblocking(False)
            waiting = asyncio.ensure_future(loop.sock_recv(theirs, 1))
            await asyncio.sleep(0)
            waiting.cancel()
            sending = asyncio.ensure_future(_send_all(soak, rng, ours, stream))
            while data := await loop.sock_recv(theirs, rng.randint(1, 9000)):
                stream.feed(data)
            await sending
    soak.settle(stream)


async def _send_all(soak: Soak, rng: random.Random, sock: socket.socket, stream: Numbered) -> None:
    for _ in range(rng.randint(1, 30)):
        await soak.loop.sock_sendall(sock, stream.next(rng.randint(0, 30_000)))
    sock.shutdown(socket.SHUT_WR)


async def refused(soak: Soak, rng: random.Random) -> None:  # noqa: ARG001 - all activities are called alike
    """Connections to where nobody listens."""
    with socket.create_server(_ADDRESS) as listener:
        address = listener.getsockname()
    for _ in range(3):
        try:
            transport, _ = await soak.loop.create_connection(asyncio.Protocol, *address)
        except OSError:
            continue
        transport.abort()  # another activity's server got the port
