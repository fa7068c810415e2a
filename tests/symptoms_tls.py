"""How the faults of `faulty_tls` show."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from faulty_tls import TlsLoop
from muxloop.conformance.player.tls_peer import TlsPeer, client_context
from symptoms import error_of, run, shows, turn

SOUND = (TlsLoop,)
MUCH = 1_000_000


class Noting(asyncio.Protocol):
    """Notes what it is told, and stops the loop at each thing."""

    def __init__(self, loop: Any) -> None:
        self.loop, self.log, self.heard = loop, list[str](), 0
        self.transport: Any = None

    def told(self, what: str) -> None:
        self.log.append(what)
        self.loop.stop()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.log.append("made")

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)
        self.told("data")

    def eof_received(self) -> None:
        self.told("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told("lost" if exc is None else f"lost by {type(exc).__name__}")


Meeting = contextlib.AbstractContextManager[tuple[Noting, TlsPeer, Any]]
Begin = Callable[[Noting, socket.socket], Coroutine[Any, Any, Any]]


@contextlib.contextmanager
def meeting(loop: Any, manner: str, begin: Begin) -> Iterator[tuple[Noting, TlsPeer, Any]]:
    """A protocol that meets its peer by TLS as ``begin`` has it, the peer, and the task that does so."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    ours.setblocking(False)
    protocol, peer = Noting(loop), TlsPeer(theirs, manner, server_side=True)
    task = loop.create_task(begin(protocol, ours))
    task.add_done_callback(lambda _: loop.stop())
    try:
        yield protocol, peer, task
    finally:
        end(loop, protocol, task)
        peer.close()


def connecting(loop: Any, manner: str = "sound", **how: Any) -> Meeting:
    """By create_connection()."""
    how = {"ssl": client_context(), "server_hostname": "localhost", **how}
    return meeting(
        loop, manner, lambda protocol, sock: loop.create_connection(lambda: protocol, **{"sock": sock, **how})
    )


def upgrading(loop: Any, name: str) -> Meeting:
    """By start_tls()."""

    async def upgrade(protocol: Noting, sock: socket.socket) -> None:
        plain, _ = await loop.create_connection(asyncio.Protocol, sock=sock)
        made = await loop.start_tls(plain, protocol, client_context(), server_hostname=name)
        protocol.connection_made(made)

    return meeting(loop, "sound", upgrade)


def end(loop: Any, protocol: Noting, task: asyncio.Task[Any]) -> None:
    """Leave nothing that is still under way."""
    loop.set_exception_handler(lambda *_: None)
    task.cancel()
    if protocol.transport is not None and "lost" not in protocol.log[-1]:
        protocol.transport.abort()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()


def until(loop: Any, protocol: Noting, what: str, patience_s: float) -> None:
    """Run until that is told, or patience is out."""
    while not any(entry.startswith(what) for entry in protocol.log) and run(loop, patience_s):
        pass


def how_it_ended(task: asyncio.Task[Any]) -> str:
    return error_of(task.result) if task.done() else "it goes on"


@shows("close_cuts_tls", "close_without_a_word", "last_record_kept", right=("lost", MUCH, "eof"), sound=SOUND)
def close_sends_all_and_says_so(loop: Any, patience_s: float) -> object:
    with connecting(loop) as (protocol, peer, _):
        run(loop, patience_s)
        protocol.transport.write(bytes(MUCH))
        peer.read_to_the_end()
        protocol.transport.close()
        until(loop, protocol, "lost", patience_s)
        assert peer.reader is not None
        peer.reader.join(patience_s)
        return protocol.log[-1], peer.heard.total, peer.ended


@shows(
    "any_name_will_do",
    "made_too_early",
    "failure_stays_open",
    right=("SSLCertVerificationError", [], True),
    sound=SOUND,
)
def a_wrong_name_is_refused(loop: Any, patience_s: float) -> object:
    with connecting(loop, server_hostname="elsewhere.example") as (protocol, peer, task):
        run(loop, patience_s)
        turn(loop)
        peer.thread.join(patience_s)
        return how_it_ended(task), protocol.log, peer.cut


@shows("endless_handshake", right="ConnectionAbortedError", sound=SOUND)
def a_silent_peer_is_given_up(loop: Any, patience_s: float) -> object:
    with connecting(loop, "silent", ssl_handshake_timeout=0.05) as (_, _, task):
        run(loop, patience_s)
        return how_it_ended(task)


@shows("limit_after_the_handshake", right=["made"], sound=SOUND)
def a_connection_outlives_its_handshake(loop: Any, patience_s: float) -> object:
    with connecting(loop, ssl_handshake_timeout=min(1.0, patience_s / 3)) as (protocol, _, _):
        run(loop, patience_s)
        until(loop, protocol, "lost", min(1.5, patience_s / 2))
        turn(loop)  # where both came due at once, the connection is told a moment later
        return list(protocol.log)


@shows("endless_shutdown", "impatient_shutdown", right="lost by TimeoutError", sound=SOUND)
def a_rude_peer_is_given_up(loop: Any, patience_s: float) -> object:
    with connecting(loop, "rude", ssl_shutdown_timeout=0.05) as (protocol, peer, _):
        run(loop, patience_s)
        peer.read_to_the_end()
        protocol.transport.close()
        until(loop, protocol, "lost", patience_s)
        return protocol.log[-1]


@shows("shutdown_minds_data", "records_after_close", right=["made", "eof", "lost"], sound=SOUND)
def what_comes_after_close_is_read_over(loop: Any, patience_s: float) -> object:
    with connecting(loop) as (protocol, peer, _):
        run(loop, patience_s)
        peer.send(10)  # not after close(): a peer that finds close_notify with the handshake's end is done
        protocol.transport.close()
        peer.read_to_the_end()
        until(loop, protocol, "lost", patience_s)
        return list(protocol.log)


@shows("trail_dropped", right=10, sound=SOUND)
def what_comes_with_the_end_is_told(loop: Any, patience_s: float) -> object:
    with connecting(loop) as (protocol, peer, _):
        run(loop, patience_s)
        peer.send(10)
        peer.end_of_stream()
        until(loop, protocol, "lost", patience_s)
        return protocol.heard


@shows("certificate_untold", right=(("DNS", "localhost"),), sound=SOUND)
def the_certificate_is_told(loop: Any, patience_s: float) -> object:
    with connecting(loop) as (protocol, _, _):
        run(loop, patience_s)
        return (protocol.transport.get_extra_info("peercert") or {}).get("subjectAltName")


@shows("pause_at_the_end_loses", right=10, sound=SOUND)
def what_came_in_a_pause_outlives_the_peer(loop: Any, patience_s: float) -> object:
    with connecting(loop) as (protocol, peer, _):
        run(loop, patience_s)
        protocol.transport.pause_reading()
        peer.send(10)
        peer.close()
        loop.call_later(0.02, protocol.transport.resume_reading)
        until(loop, protocol, "lost", patience_s)
        return protocol.heard


@shows("upgrade_forgets_the_end", right=["made", "eof", "lost"], sound=SOUND)
def the_end_is_told_after_start_tls(loop: Any, patience_s: float) -> object:
    with upgrading(loop, "localhost") as (protocol, peer, _):
        run(loop, patience_s)
        protocol.transport.close()
        peer.read_to_the_end()
        until(loop, protocol, "lost", patience_s)
        return list(protocol.log)


@shows("upgrade_leaks", right=("SSLCertVerificationError", True), sound=SOUND)
def start_tls_that_fails_closes(loop: Any, patience_s: float) -> object:
    with upgrading(loop, "elsewhere.example") as (_, peer, task):
        run(loop, patience_s)
        turn(loop)
        peer.thread.join(patience_s)
        return how_it_ended(task), peer.cut
