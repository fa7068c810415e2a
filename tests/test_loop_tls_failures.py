"""TLS that goes wrong: certificates, peers that speak none, vanish or never answer, and bad arguments."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop
from muxloop.conformance.player.tls_peer import client_context, server_context
from recorded_connections import Recorder
from tls_connections import connected


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.mark.parametrize(
    ("name", "trusting", "error"),
    [
        ("localhost", False, ssl.SSLCertVerificationError),
        ("elsewhere", True, ssl.SSLCertVerificationError),
    ],
    ids=["unknown certificate", "certificate of somebody else"],
)
def test_a_wrong_certificate_is_one_error_and_told_to_the_peer(
    loop: EventLoop, name: str, trusting: bool, error: type[Exception]
) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            context = client_context(trusting=trusting)
            address = listener.getsockname()
            connecting = loop.create_task(
                loop.create_connection(Recorder, *address, ssl=context, server_hostname=name)
            )
            listener.setblocking(False)
            sock, _ = await loop.sock_accept(listener)
            served = await asyncio.to_thread(alert_of, sock)
            with pytest.raises(error):
                await connecting
        assert "ALERT" in served

    def alert_of(sock: socket.socket) -> str:
        sock.setblocking(True)
        context = server_context()
        # In TLS 1.2 the server waits for the client within the handshake.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.wrap_socket(sock, server_side=True).close()
        except ssl.SSLError as told:
            return told.reason or ""
        finally:
            sock.close()
        return "no error"

    loop.run_until_complete(main())


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silence", "plain text"])
def test_a_peer_without_tls_is_one_error_and_leaves_nothing_open(loop: EventLoop, says: bytes) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            connecting = loop.create_task(
                loop.create_connection(
                    Recorder, *listener.getsockname(), ssl=client_context(), ssl_handshake_timeout=0.05
                )
            )
            listener.setblocking(False)
            sock, _ = await loop.sock_accept(listener)
            with sock:
                await loop.sock_sendall(sock, says)
                with pytest.raises(ssl.SSLError if says else ConnectionAbortedError):
                    await connecting
                while await loop.sock_recv(sock, 4096):
                    pass  # our greeting, then the end of the stream

    loop.run_until_complete(main())


def test_a_peer_that_does_not_say_goodbye_is_given_up(loop: EventLoop) -> None:
    async def main() -> None:
        server, theirs, ours = await connected(loop, ssl_shutdown_timeout=0.05)
        theirs.transport.pause_reading()  # does not see our close_notify
        started = loop.time()
        ours.transport.close()
        await ours.lost
        assert loop.time() - started >= 0.05
        assert isinstance(ours.error, TimeoutError)
        theirs.transport.abort()
        await theirs.lost
        server.close()

    loop.run_until_complete(main())


def test_a_cancelled_handshake_leaves_nothing_open(loop: EventLoop) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            connecting = loop.create_task(
                loop.create_connection(Recorder, *listener.getsockname(), ssl=client_context())
            )
            listener.setblocking(False)
            sock, _ = await loop.sock_accept(listener)
            with sock:
                assert await loop.sock_recv(sock, 4096)
                connecting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await connecting
                assert await loop.sock_recv(sock, 4096) == b""
        gc.collect()

    loop.run_until_complete(main())


def test_arguments_that_do_not_fit_together(loop: EventLoop) -> None:
    context = client_context()
    with socket.socket() as sock:
        for call, error in (
            (loop.create_connection(Recorder, sock=sock, ssl=context), ValueError),
            (loop.create_connection(Recorder, "host", 1, ssl=context, ssl_shutdown_timeout=0), ValueError),
            (loop.create_connection(Recorder, "host", 1, ssl="yes"), TypeError),
            (loop.create_server(Recorder, "host", 1, ssl=True), TypeError),
            (loop.create_server(Recorder, "host", 1, ssl_handshake_timeout=1), ValueError),
            (loop.connect_accepted_socket(Recorder, sock, ssl_shutdown_timeout=1), ValueError),
            (loop.start_tls(asyncio.Transport(), asyncio.Protocol(), context), TypeError),
            (loop.start_tls(asyncio.Transport(), asyncio.Protocol(), True), TypeError),
        ):
            with pytest.raises(error):
                loop.run_until_complete(call)


def test_a_callback_that_raises_ends_this_connection_only(loop: EventLoop) -> None:
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))

    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:  # noqa: ARG002
            raise LookupError("planted")

    async def main() -> None:
        server, theirs, ours = await connected(loop)
        failing = Failing()
        failing.events.append("made")
        ours.transport.set_protocol(failing)
        theirs.transport.write(b"x")
        await failing.lost
        await theirs.lost
        assert isinstance(failing.error, LookupError)
        assert [type(context["exception"]) for context in told] == [LookupError]
        server.close()

    loop.run_until_complete(main())
