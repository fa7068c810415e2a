"""Pipes, ttys and datagrams through add_reader and add_writer; numbers closed underfoot and used again."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import random
import socket
import tty
from collections import deque
from contextlib import ExitStack

from ledger import FaultError, Numbered, Soak, chance


async def pipes(soak: Soak, rng: random.Random) -> None:
    """A pipe, from writer to reader."""
    reader, writer = os.pipe()
    await _pump(soak, rng, "pipe", reader, writer, largest=3000)


async def ptys(soak: Soak, rng: random.Random) -> None:
    """A raw tty, in one of the two directions."""
    ends = list(os.openpty())
    tty.setraw(ends[1])
    rng.shuffle(ends)
    await _pump(soak, rng, "pty", *ends, largest=300)


async def datagrams(soak: Soak, rng: random.Random) -> None:
    """Local datagrams, which the kernel does not drop; each is one message."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    await _pump(soak, rng, "datagrams", ours.detach(), theirs.detach(), largest=1000)


async def udp(soak: Soak, rng: random.Random) -> None:
    """Datagrams of UDP, one on its way at a time: there and back."""
    loop, stream = soak.loop, Numbered("udp")
    with ExitStack() as cleanup:
        ours, theirs = (cleanup.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in "ab")
        for sock in (ours, theirs):
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
        for _ in range(rng.randint(1, 40)):
            await loop.sock_sendto(ours, stream.next(rng.randint(0, 1000)), theirs.getsockname())
            data, origin = await loop.sock_recvfrom(theirs, 65536)
            await loop.sock_sendto(theirs, data, origin)
            stream.feed((await loop.sock_recvfrom(ours, 65536))[0])
    soak.settle(stream)


async def always_ready(soak: Soak, rng: random.Random) -> None:
    """What is always ready, on every backend: a device, a file, a folder."""
    number = os.open(rng.choice((os.devnull, __file__, os.path.dirname(__file__))), os.O_RDONLY)
    try:
        called: asyncio.Queue[None] = asyncio.Queue()
        soak.loop.add_reader(number, called.put_nowait, None)
        for _ in range(3):
            await called.get()
        soak.loop.remove_reader(number)
    finally:
        os.close(number)


async def closed_underfoot(soak: Soak, rng: random.Random) -> None:
    """A number that is watched is closed without a word, and then another file's; a duplicate may survive."""
    loop = soak.loop
    stale_calls: list[None] = []
    with ExitStack() as cleanup:
        ours, theirs, fresh, peer = (
            cleanup.enter_context(sock)
            for pair in (socket.socketpair(), socket.socketpair())
            for sock in pair
        )
        fresh.setblocking(False)
        number = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, soak.lone_number())
        if chance(rng, 0.5):
            ours.close()
        loop.add_reader(number, stale_calls.append, None)
        os.close(number)
        # A peer without anybody to read: EPIPE.
        for _ in range(rng.randint(0, 3)):
            try:
                theirs.send(b"x")
            except BrokenPipeError:
                break
            await asyncio.sleep(rng.choice((0, 0.002)))
        if chance(rng, 0.3):
            loop.remove_reader(number)
            return
        os.dup2(fresh.fileno(), number, inheritable=False)
        try:
            await _exchange_on(soak, rng, number, fresh, peer)
        finally:
            loop.remove_reader(number)
            os.close(number)


async def _exchange_on(
    soak: Soak, rng: random.Random, number: int, fresh: socket.socket, peer: socket.socket
) -> None:
    stream = Numbered("the new owner of a reused number")
    arrived = asyncio.Event()

    def read() -> None:
        try:
            stream.feed(fresh.recv(4096))
        except BlockingIOError:
            raise FaultError("a reused number was reported readable when the new file was not") from None
        arrived.set()

    soak.loop.add_reader(number, read)
    for _ in range(rng.randint(1, 10)):
        peer.send(stream.next(rng.randint(0, 100)))
        while stream.received < stream.sent:
            arrived.clear()
            await arrived.wait()
    soak.settle(stream)


async def _pump(soak: Soak, rng: random.Random, name: str, reader: int, writer: int, *, largest: int) -> None:
    """Numbered messages from one descriptor to another, as fast as both are ready; closes them."""
    loop, stream = soak.loop, Numbered(name)
    left, pending = rng.randint(1, 60), deque[bytes]()
    ended: asyncio.Future[None] = loop.create_future()

    def write() -> None:
        nonlocal left
        if not pending and left:
            left -= 1
            pending.append(stream.next(rng.randint(0, largest)))
        if not pending:
            loop.remove_writer(writer)
            return
        try:
            written = os.write(writer, pending[0])
        except BlockingIOError:
            return
        rest = pending.popleft()[written:]
        if rest:
            pending.appendleft(rest)

    def read() -> None:
        try:
            stream.feed(os.read(reader, 65536))
        except BlockingIOError:
            return
        except BaseException as error:
            ended.set_exception(error)
            loop.remove_reader(reader)
            return
        if not left and not pending and stream.received == stream.sent and not ended.done():
            ended.set_result(None)

    try:
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        loop.add_reader(reader, read)
        loop.add_writer(writer, write)
        await ended
        soak.settle(stream)
    finally:
        loop.remove_reader(reader)
        loop.remove_writer(writer)
        for number in (reader, writer):
            try:
                os.close(number)
            except OSError as error:
                if error.errno != errno.EBADF:
                    raise
                soak.fault(f"{name}: somebody else closed descriptor {number}")
