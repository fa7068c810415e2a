"""How the faults of `faulty_contradictions` show."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from symptoms import shows, turn


def error_in(loop: Any, awaitable: Any, patience_s: float) -> str:
    """The name of the exception that comes of it, or "none"; what was made is closed."""
    try:
        made = loop.run_until_complete(asyncio.wait_for(awaitable, patience_s))
    except Exception as error:
        return type(error).__name__
    if made is not None:
        (made[0] if isinstance(made, tuple) else made).close()
        turn(loop)
    return "none"


@shows("host_beats_socket", right="ValueError")
def a_connection_has_one_place(loop: Any, patience_s: float) -> object:
    with socket.socket() as sock, socket.create_server(("127.0.0.1", 0)) as server:
        made = loop.create_connection(asyncio.Protocol, *server.getsockname(), sock=sock)
        return error_in(loop, made, patience_s)


@shows("unix_name_unchecked", right="ValueError")
def a_name_is_to_be_checked(loop: Any, patience_s: float) -> object:
    made = loop.create_unix_connection(asyncio.Protocol, "/nobody/listens/here", ssl=True)
    return error_in(loop, made, patience_s)


@shows("closed_server_waits", right="RuntimeError")
def a_closed_server_does_not_serve(loop: Any, patience_s: float) -> object:
    async def serve() -> None:
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        server.close()
        await server.serve_forever()

    return error_in(loop, serve(), patience_s)


@shows("unix_server_takes_any_socket", right="ValueError")
def a_unix_server_has_a_unix_socket(loop: Any, patience_s: float) -> object:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return error_in(loop, loop.create_unix_server(asyncio.Protocol, sock=sock), patience_s)


@shows("stream_taken_for_datagrams", right="ValueError")
def an_endpoint_is_no_stream(loop: Any, patience_s: float) -> object:
    with socket.socket() as sock:
        sock.setblocking(False)
        made = loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=sock)
        return error_in(loop, made, patience_s)
