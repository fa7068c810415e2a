"""The loads. Each returns what it did, in words, and raises where something was lost."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable

# Several, so that a hundred thousand connections in a row do not run out of ports.
_HOSTS = [f"127.0.0.{number}" for number in range(1, 9)] if sys.platform == "linux" else ["127.0.0.1"]
_AT_ONCE = 100
_MESSAGE = b"x" * 64

Load = Callable[[int], Awaitable[str]]


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.write(data)


class _Client(asyncio.Protocol):
    """Asks, counts the bytes of the answer, and knows when it is lost."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.answered = loop.create_future()
        self._missing = 0

    def ask(self, transport: asyncio.Transport) -> asyncio.Future[None]:
        """Send a message; done when as much has come back."""
        self._missing = len(_MESSAGE)
        self.answered = asyncio.get_running_loop().create_future()
        transport.write(_MESSAGE)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing == 0:
            self.answered.set_result(None)
        elif self._missing < 0:
            self.answered.set_exception(RuntimeError(f"{-self._missing} bytes too many came back"))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(error or ConnectionError("the connection ended without an answer"))
        self.lost.set_result(None)


async def connections(count: int) -> str:
    """Hold ``count`` connections open, and ask over each of them three times."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Echo, _HOSTS, 0, backlog=1024)
    addresses = [sock.getsockname() for sock in server.sockets]
    clients: list[tuple[asyncio.Transport, _Client]] = []
    for number in range(count):
        clients.append(await loop.create_connection(_Client, *addresses[number % len(addresses)]))
    for _ in range(3):
        await asyncio.gather(*(client.ask(transport) for transport, client in clients))
    for transport, _ in clients:
        transport.close()
    await asyncio.gather(*(client.lost for _, client in clients))
    server.close()
    await server.wait_closed()
    return f"{count} connections held open, {3 * count} answers"


async def churn(count: int) -> str:
    """``count`` connections, each opened, asked and closed, a hundred at a time."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Echo, _HOSTS, 0, backlog=1024)
    addresses = [sock.getsockname() for sock in server.sockets]
    numbers = iter(range(count))

    async def visit() -> None:
        for number in numbers:
            transport, client = await loop.create_connection(_Client, *addresses[number % len(addresses)])
            await client.ask(transport)
            # No port waits for stray segments: by a reset.
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            transport.close()
            await client.lost

    await asyncio.gather(*(visit() for _ in range(_AT_ONCE)))
    server.close()
    await server.wait_closed()
    return f"{count} connections opened, asked and closed"


async def processes(count: int) -> str:
    """``count`` subprocesses, twenty at a time: what each reads, writes and returns."""
    numbers = iter(range(count))

    async def spawn() -> None:
        for number in numbers:
            process = await asyncio.create_subprocess_exec(
                *("sh", "-c", f"cat; echo {number} >&2; exit {number % 200}"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate(b"%d" % number)
            told = out, err, process.returncode
            if told != (b"%d" % number, b"%d\n" % number, number % 200):
                raise RuntimeError(f"process {number} came to {told!r}")

    await asyncio.gather(*(spawn() for _ in range(20)))
    return f"{count} subprocesses"


async def flood(count: int) -> str:
    """``count`` calls from each of four threads: all arrive, each thread's in its order."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    arrived: Counter[int] = Counter()

    def note(thread: int, number: int) -> None:
        if arrived[thread] != number:
            done.set_exception(RuntimeError(f"call {number} of thread {thread} came as {arrived[thread]}"))
        arrived[thread] += 1
        if arrived.total() == 4 * count:
            done.set_result(None)

    def call(thread: int) -> None:
        for number in range(count):
            loop.call_soon_threadsafe(note, thread, number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    await done
    for thread in threads:
        thread.join()
    return f"4 x {count} thread-safe calls"


LOADS: dict[str, tuple[Load, int]] = {
    "connections": (connections, 5_000),
    "churn": (churn, 100_000),
    "processes": (processes, 1_000),
    "flood": (flood, 100_000),
}
"""What there is, and how much of it."""
