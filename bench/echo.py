"""What a request costs a server: the CPU time of the process that echoes, per message.

The clients are another process, so the figure does not depend on how fast they are; but both want a CPU,
and the wall's time of a request says little where there are only two.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from . import contestants
from .benchmark import Answer, Benchmark, Measure, Measured, Request, Table
from .comparison import comparison_records, comparison_tables, overview

_CONNECTIONS = 10


@dataclass(frozen=True)
class Echo(Benchmark):
    """The cost of a request to an echo server."""

    name: ClassVar[str] = "echo"
    summary: ClassVar[str] = "what a request costs an echo server, in CPU"

    def requests(self) -> list[Request]:
        """Each kind of server, with small messages and large ones."""
        count = 20 if self.quick else 4000
        return [
            {"kind": kind, "size": size, "count": count // (1 if size < 10_000 else 4)}
            for kind in _SERVERS
            for size in ((1024,) if self.quick else (1024, 65536))
        ]

    @contextmanager
    def enter(self, contestant: str) -> Iterator[Measure]:
        """A loop, which serves for as long as the clients of a request take."""
        loop = contestants.open_loop(contestant)
        asyncio.set_event_loop(loop)

        def measure(request: Request) -> Answer:
            with socket.create_server(("127.0.0.1", 0), backlog=_CONNECTIONS) as listener:
                listener.setblocking(False)
                serving = _SERVERS[request["kind"]](loop, listener)
                return loop.run_until_complete(_serve_clients(serving, listener, request))

        try:
            yield measure
        finally:
            loop.close()

    def summarise(self, measured: Sequence[Measured]) -> list[dict[str, Any]]:
        """Medians and spread over the rounds, and the ratio to asyncio on the same backend."""
        return comparison_records(measured, _case, contestants.asyncio_beside)

    def tables(self, records: Sequence[dict[str, Any]]) -> list[Table]:
        """All kinds and sizes at a glance, and each with its spread."""
        return [*overview(records, "loop"), *comparison_tables(records, ["loop"], "to asyncio")]


async def _serve_clients(
    serving: Coroutine[None, None, None], listener: socket.socket, request: Request
) -> Answer:
    """Start the clients, then the clock; the server ends with its last connection."""
    numbers = (listener.getsockname()[1], _CONNECTIONS, request["size"], request["count"])
    clients = subprocess.Popen(
        [sys.executable, "-I", "-S", Path(__file__).with_name("echo_clients.py"), *map(str, numbers)],
        stdin=subprocess.DEVNULL,
    )
    cpu = time.process_time_ns()
    await serving
    cpu = time.process_time_ns() - cpu
    if code := clients.wait():
        raise RuntimeError(f"the clients ended with code {code}")
    return {"cpu_us": cpu / request["count"] / 1e3}


class _Echo(asyncio.Protocol):
    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the interface's name
        self._ended()


async def _with_protocols(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
    """``create_server`` and a protocol."""
    ended = asyncio.Semaphore(0)
    server = await loop.create_server(lambda: _Echo(ended.release), sock=listener)
    for _ in range(_CONNECTIONS):
        await ended.acquire()
    server.close()
    await server.wait_closed()


async def _with_streams(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:  # noqa: ARG001
    """``start_server`` and its readers and writers."""
    ended = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
        writer.close()
        ended.release()

    server = await asyncio.start_server(serve, sock=listener, limit=1 << 20)
    for _ in range(_CONNECTIONS):
        await ended.acquire()
    server.close()
    await server.wait_closed()


async def _with_sockets(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
    """``sock_recv`` and ``sock_sendall``."""

    async def serve(connection: socket.socket) -> None:
        with connection:
            while data := await loop.sock_recv(connection, 1 << 18):
                await loop.sock_sendall(connection, data)

    async with asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            connection, _ = await loop.sock_accept(listener)
            group.create_task(serve(connection))


_SERVERS = {"protocols": _with_protocols, "streams": _with_streams, "sock calls": _with_sockets}


def _case(request: Request) -> str:
    return f"{request['kind']}, {request['size']} bytes"
