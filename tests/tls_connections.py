"""A connection under TLS, both ends of it on one loop, for tests of transports."""

from __future__ import annotations

import asyncio

from muxloop import EventLoop
from muxloop.conformance.player.tls_peer import client_context, server_context
from recorded_connections import Recorder


async def connected(
    loop: EventLoop, *, keep_open: bool = False, **limits: float
) -> tuple[asyncio.Server, Recorder, Recorder]:
    """A server with one client, hands shaken on both sides: server, its protocol, the client's."""
    admitted: asyncio.Future[Recorder] = loop.create_future()

    class Served(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            admitted.set_result(self)

    server = await loop.create_server(
        lambda: Served(keep_open=keep_open), "127.0.0.1", 0, ssl=server_context(), **limits
    )
    _, ours = await loop.create_connection(
        Recorder,
        *server.sockets[0].getsockname(),
        ssl=client_context(),
        server_hostname="localhost",
        **limits,
    )
    assert isinstance(ours, Recorder)
    return server, await admitted, ours
