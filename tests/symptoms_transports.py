"""How the faults of `faulty_transports` show."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from symptoms import at_rest, error_of, run, shows, turn

LARGE = 4 << 20
"""More than any kernel takes at once."""


class Recorder(asyncio.Protocol):
    """A protocol that keeps what it is told, and does what `reactions` say."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.transport: Any = None
        self.reactions: dict[str, Callable[[], object]] = {}

    def told(self, what: str) -> Any:
        self.log.append(what)
        return self.reactions.get(what, lambda: None)()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.told("made")

    def data_received(self, data: bytes) -> None:
        self.told(f"data {len(data)}")

    def eof_received(self) -> Any:
        return self.told("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told("lost" if exc is None else f"lost by {type(exc).__name__}")

    def pause_writing(self) -> None:
        self.told("pause")

    def resume_writing(self) -> None:
        self.told("resume")


@contextlib.contextmanager
def connected(loop: Any, protocol: Recorder | None = None) -> Iterator[tuple[Recorder, socket.socket]]:
    """A protocol on one end of a pair of sockets, and the other end."""
    protocol = protocol or Recorder()
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.setblocking(False)
    loop.set_exception_handler(lambda *_: None)
    loop.run_until_complete(loop.create_connection(lambda: protocol, sock=ours))
    with peer:
        yield protocol, peer
        if not protocol.log[-1].startswith("lost"):  # CPython's abort() after that raises AttributeError
            protocol.transport.abort()
        turn(loop)


def received(loop: Any, peer: socket.socket, patience_s: float) -> bytes:
    """What the peer gets until the end of the stream, or until patience is out."""
    parts: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(BlockingIOError):
            parts.append(peer.recv(1 << 20))
            if not parts[-1]:
                loop.stop()

    loop.add_reader(peer, read)
    run(loop, patience_s)
    loop.remove_reader(peer)
    return b"".join(parts)


@shows("lost_inside_close", right=(["made"], ["made", "lost"]))
def lost_comes_after_close_has_returned(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, _):
        protocol.transport.close()
        before = list(protocol.log)
        turn(loop)
        return before, protocol.log


@shows("lost_twice", "abort_has_a_reason", right=(["made", "lost"], ["made", "lost"]))
def lost_comes_once_and_without_a_reason(loop: Any, _patience_s: float) -> object:
    logs = []
    for first in ("close", "abort"):
        with connected(loop) as (protocol, _):
            getattr(protocol.transport, first)()
            protocol.transport.abort()
            turn(loop)
            logs.append(protocol.log)
    return tuple(logs)


@shows("error_keeps_connection", "swallows_errors", right=["made", "data 1", "lost by ZeroDivisionError"])
def an_error_in_data_received_ends_the_connection(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        protocol.reactions["data 1"] = lambda: 1 / 0
        peer.send(b"x")
        turn(loop)
        return protocol.log


@shows("data_after_close", right=["made", "lost"])
def close_is_the_end_of_data(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        peer.send(b"x")
        protocol.transport.close()
        turn(loop)
        return protocol.log


@shows("batches_callers_buffers", right=b"as it was")
def a_written_buffer_belongs_to_its_owner(loop: Any, patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        buffer = bytearray(b"as it was")
        protocol.transport.write(buffer)
        buffer[:] = b"otherwise"
        protocol.transport.close()
        return received(loop, peer, patience_s)


@shows("partial_send_lost", "close_drops_the_rest", right=LARGE)
def everything_written_before_close_arrives(loop: Any, patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        protocol.transport.write(bytes(LARGE))
        protocol.transport.close()
        return len(received(loop, peer, patience_s))


@shows("eof_truncates", right=(LARGE, ["made", "pause", "resume"]))
def everything_written_before_write_eof_arrives(loop: Any, patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        protocol.transport.write(bytes(LARGE))
        protocol.transport.write_eof()
        return len(received(loop, peer, patience_s)), list(protocol.log)


@shows("never_pauses", "pauses_again", "swaps_limits", right=(["made", "pause"], (1000, 5000)))
def a_full_buffer_pauses_once(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, _):
        transport = protocol.transport
        transport.set_write_buffer_limits(5000, 1000)
        transport.write(bytes(LARGE))
        transport.write(b"x")
        return list(protocol.log), transport.get_write_buffer_limits()


@shows("pauses_once", right="none")
def pausing_twice_is_harmless(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, _):
        protocol.transport.pause_reading()
        return error_of(protocol.transport.pause_reading)


@shows("reads_though_paused", right=["made"])
def pausing_in_connection_made_counts(loop: Any, _patience_s: float) -> object:
    protocol = Recorder()
    protocol.reactions["made"] = lambda: protocol.transport.pause_reading()  # noqa: PLW0108 - none as yet
    with connected(loop, protocol) as (_, peer):
        peer.send(b"x")
        turn(loop)
        return list(protocol.log)


@shows("vain_write_raises", right="none")
def writing_after_the_end_is_ignored(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, _):
        protocol.transport.close()
        turn(loop)
        return error_of(protocol.transport.write, b"x")


@shows("closes_when_told_to_stay", right=["made", "eof"])
def true_from_eof_received_keeps_it_open(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        protocol.reactions["eof"] = lambda: True
        peer.shutdown(socket.SHUT_WR)
        turn(loop)
        return list(protocol.log)


@shows("former_protocol", right=(["made"], ["data 1"]))
def data_goes_to_the_new_protocol(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        other = Recorder()
        protocol.transport.set_protocol(other)
        peer.send(b"x")
        turn(loop)
        return list(protocol.log), list(other.log)


@shows("faceless", right="")
def a_transport_knows_its_peer(loop: Any, _patience_s: float) -> object:
    with connected(loop) as (protocol, _):
        return protocol.transport.get_extra_info("peername")


@shows("sends_from_the_start", right=(4, b"file"))
def sendfile_starts_at_the_offset(loop: Any, patience_s: float) -> object:
    with connected(loop) as (protocol, peer), tempfile.TemporaryFile() as file:
        file.write(b"the file")
        file.flush()
        sent = loop.run_until_complete(loop.sendfile(protocol.transport, file, 4))
        protocol.transport.close()
        return sent, received(loop, peer, patience_s)


def sent_through_socket(loop: Any, file: Any) -> tuple[int, bytes, int]:
    """The answer of sock_sendfile() from the fourth byte on, what arrived, and the file's position."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs, file:
        file.write(b"the file")
        file.seek(0)
        sent = loop.run_until_complete(loop.sock_sendfile(ours, file, 4))
        ours.close()
        return sent, theirs.recv(100), file.tell()


@shows("position_forgotten", right=(4, b"file", 8))
def sock_sendfile_moves_the_position(loop: Any, _patience_s: float) -> object:
    return sent_through_socket(loop, tempfile.TemporaryFile())


@shows("fallback_reads_on", right=(4, b"file", 8))
def sock_sendfile_starts_at_the_offset(loop: Any, _patience_s: float) -> object:
    return sent_through_socket(loop, io.BytesIO())


@contextlib.contextmanager
def serving(loop: Any, **how: Any) -> Iterator[tuple[Any, list[Recorder]]]:
    """A server, and the protocols of those whom it accepted."""
    protocols: list[Recorder] = []

    def accepted() -> Recorder:
        protocols.append(Recorder())
        return protocols[-1]

    loop.set_exception_handler(lambda *_: None)
    factory = how.pop("factory", accepted)
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0, **how))
    yield server, protocols
    server.close()
    for protocol in protocols:
        if protocol.transport is not None:
            protocol.transport.abort()
    turn(loop, 5)


def clients(server: Any, number: int) -> contextlib.ExitStack:
    """That many clients, connected until the stack is closed."""
    stack = contextlib.ExitStack()
    for _ in range(number):
        stack.enter_context(socket.create_connection(server.sockets[0].getsockname()))
    return stack


@shows("serves_unasked", right=False)
def a_server_waits_to_be_started(loop: Any, _patience_s: float) -> object:
    with serving(loop, start_serving=False) as (server, _):
        return server.is_serving()


@shows("close_ends_connections", right=[["made"]])
def connections_outlive_their_server(loop: Any, _patience_s: float) -> object:
    with serving(loop) as (server, protocols), clients(server, 1):
        turn(loop, 5)
        server.close()
        turn(loop, 5)
        return [list(protocol.log) for protocol in protocols]


@shows("accepts_one_a_turn", right=[4])
def all_that_is_pending_is_accepted(loop: Any, _patience_s: float) -> object:
    with serving(loop) as (server, protocols), clients(server, 4):
        turn(loop, 2)
        return [len(protocols)]


@shows("factory_error_deafens", right="accepted")
def a_server_outlives_an_error_of_its_factory(loop: Any, patience_s: float) -> object:
    calls: list[str] = []

    def factory() -> Recorder:
        calls.append("call")
        if len(calls) == 1:
            raise ZeroDivisionError("planted")
        loop.stop()
        return Recorder()

    with serving(loop, factory=factory) as (server, _), clients(server, 1):
        turn(loop, 5)
        with clients(server, 1):
            return "accepted" if run(loop, patience_s) else "deaf"


@shows("spins_out_of_files", "deaf_after_files_ran_out", right=("at rest", 1))
def a_server_survives_a_lack_of_files(loop: Any, patience_s: float) -> object:
    import resource

    with serving(loop) as (server, protocols), clients(server, 1):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        resting = at_rest(loop)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        loop.call_later(min(patience_s, 1.2), loop.stop)
        loop.run_forever()
        return resting, len(protocols)


@shows("stale_file_refused", right="none")
def a_stale_socket_file_is_replaced(loop: Any, _patience_s: float) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "server")
        with socket.socket(socket.AF_UNIX) as forgotten:
            forgotten.bind(path)
        servers: list[Any] = []

        async def serve() -> None:
            servers.append(await loop.create_unix_server(Recorder, path))

        error = error_of(loop.run_until_complete, serve())
        for server in servers:
            server.close()
        turn(loop)
        return error


@shows("keeps_its_writer", right="at rest")
def a_transport_rests_when_all_is_written(loop: Any, patience_s: float) -> object:
    with connected(loop) as (protocol, peer):
        protocol.transport.write(bytes(LARGE))
        left, until = LARGE, time.monotonic() + patience_s
        while left and time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                left -= len(peer.recv(1 << 20))
            turn(loop)
        return at_rest(loop)
