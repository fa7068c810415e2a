"""TCP servers and connections, and asyncio's streams on top of them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from echo_streams import ask, ask_an_echo
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop, VirtualClock

resource = pytest.importorskip("resource")


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


class Echo(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


def test_streams_echo_a_megabyte(loop: EventLoop) -> None:
    data = bytes(range(256)) * 4096
    assert loop.run_until_complete(ask_an_echo([data] * 5)) == [data] * 5


def test_the_life_of_a_server(loop: EventLoop) -> None:
    async def main() -> None:
        server = await loop.create_server(Echo, "127.0.0.1", 0, start_serving=False, keep_alive=True)
        assert not server.is_serving()
        assert server.get_loop() is loop
        address = server.sockets[0].getsockname()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        await server.start_serving()
        await server.start_serving()
        assert server.is_serving()
        assert await ask(address) == b"question"
        serving = loop.create_task(server.serve_forever())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already"):
            await server.serve_forever()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert not server.is_serving()
        assert server.sockets == ()
        server.close()
        await server.wait_closed()
        with pytest.raises(RuntimeError, match="closed"):
            await server.start_serving()

    loop.run_until_complete(main())


@pytest.mark.parametrize("ending", ["close_clients", "abort_clients"])
def test_wait_closed_waits_for_the_last_connection(loop: EventLoop, ending: str) -> None:
    async def main() -> None:
        server = await loop.create_server(Echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        await reader.readexactly(1)
        server.close()
        waiting = loop.create_task(server.wait_closed())
        await asyncio.sleep(0.001)
        assert not waiting.done()
        getattr(server, ending)()
        await waiting
        assert await reader.read() == b""
        writer.close()

    loop.run_until_complete(main())


def test_all_who_wait_for_the_end_go_on_in_the_turn_after_it(loop: EventLoop) -> None:
    async def main() -> None:
        server = await loop.create_server(Echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        await reader.readexactly(1)
        server.close()
        impatient, first, second = (loop.create_task(server.wait_closed()) for _ in range(3))
        await asyncio.sleep(0)
        impatient.cancel()
        server.abort_clients()
        await asyncio.sleep(0)  # connection_lost
        await asyncio.sleep(0)
        assert (impatient.cancelled(), first.done(), second.done()) == (True, True, True)
        writer.close()

    loop.run_until_complete(main())


def test_several_hosts_several_sockets(loop: EventLoop) -> None:
    async def main() -> None:
        async with await loop.create_server(Echo, ["127.0.0.1", "127.0.0.2", "127.0.0.1"], 0) as server:
            assert sorted(sock.getsockname()[0] for sock in server.sockets) == ["127.0.0.1", "127.0.0.2"]
            for sock in server.sockets:
                assert await ask(sock.getsockname()) == b"question"

    loop.run_until_complete(main())


def test_a_port_that_is_taken_is_an_error_unless_shared(loop: EventLoop) -> None:
    async def main() -> None:
        async with await loop.create_server(Echo, "127.0.0.1", 0, reuse_port=True) as server:
            port = server.sockets[0].getsockname()[1]
            async with await loop.create_server(Echo, "127.0.0.1", port, reuse_port=True):
                with pytest.raises(OSError, match="cannot bind") as caught:
                    await loop.create_server(Echo, "127.0.0.1", port)
                assert caught.value.errno == errno.EADDRINUSE

    loop.run_until_complete(main())


def test_pending_connections_are_accepted_in_one_turn(loop: EventLoop) -> None:
    made: list[float] = []

    class Counting(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            made.append(turns)
            transport.abort()

    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1
        if len(made) < 20:
            loop.call_soon(count)

    async def main() -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        clients = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        async with await loop.create_server(Counting, sock=listener, start_serving=False) as server:
            await server.start_serving()
            count()
            while len(made) < 20:
                await asyncio.sleep(0)
            for client in clients:
                client.close()

    loop.run_until_complete(main())
    assert len(set(made)) == 1


@pytest.mark.parametrize("name", SELECTORS)
def test_a_server_out_of_descriptors_backs_off_and_recovers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[dict[str, Any]] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    selector = SELECTORS[name]()
    loop = EventLoop(selector, VirtualClock())
    loop.set_exception_handler(lambda _, context: contexts.append(context))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "max_user_watches")

    async def main() -> None:
        async with await loop.create_server(Echo, "127.0.0.1", 0) as server:
            client = socket.socket()
            client.setblocking(False)
            probe = socket.socket()
            lowest_free = probe.fileno()
            probe.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
            try:
                await loop.sock_connect(client, server.sockets[0].getsockname())
                await asyncio.sleep(0.5)  # no spin: one report within the second
                assert len(contexts) == 1
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            with monkeypatch.context() as patch:
                patch.setattr(selector, "register", refuse)
                await asyncio.sleep(1)
            await asyncio.sleep(1)
            await loop.sock_sendall(client, b"served")
            assert await loop.sock_recv(client, 10) == b"served"
            client.close()

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    assert [context["exception"].errno for context in contexts] == [errno.EMFILE, errno.ENOSPC]


def test_a_factory_that_fails_once_costs_one_connection(loop: EventLoop) -> None:
    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    failed = False

    def factory() -> Echo:
        nonlocal failed
        if not failed:
            failed = True
            raise ZeroDivisionError
        return Echo()

    async def main() -> None:
        async with await loop.create_server(factory, "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.read() == b""
            writer.close()
            assert await ask(address) == b"question"

    loop.run_until_complete(main())
    assert isinstance(contexts[0]["exception"], ZeroDivisionError)


def test_connecting_by_name_and_from_a_local_address(loop: EventLoop) -> None:
    async def main() -> None:
        async with await loop.create_server(Echo, "localhost", 0, family=socket.AF_INET) as server:
            port = server.sockets[0].getsockname()[1]
            for options in (
                {"local_addr": ("127.0.0.1", 0)},
                {"happy_eyeballs_delay": 0.1},
                {"interleave": 1, "family": socket.AF_INET},
            ):
                transport, _ = await loop.create_connection(asyncio.Protocol, "localhost", port, **options)
                assert transport.get_extra_info("peername") == ("127.0.0.1", port)
                transport.abort()

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())


@pytest.mark.parametrize("delay", [None, 0.01])
def test_when_nobody_answers_every_reason_is_told(
    loop: EventLoop, delay: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    async def two(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (1, 2)]

    monkeypatch.setattr(loop, "getaddrinfo", two)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as group:
            await loop.create_connection(Echo, "name", port, all_errors=True, happy_eyeballs_delay=delay)
        assert [type(error) for error in group.value.exceptions] == [ConnectionRefusedError] * 2
        with pytest.raises(OSError, match="Multiple exceptions"):
            await loop.create_connection(Echo, "name", port, happy_eyeballs_delay=delay)

    loop.run_until_complete(main())


def test_a_cancelled_connection_attempt_leaks_no_socket(loop: EventLoop) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
            attempts = [
                loop.create_task(loop.create_connection(Echo, *listener.getsockname())) for _ in range(8)
            ]
            await asyncio.sleep(0.01)
            for attempt in attempts:
                attempt.cancel()
            for outcome in await asyncio.gather(*attempts, return_exceptions=True):
                if not isinstance(outcome, BaseException):
                    outcome[0].abort()

    loop.run_until_complete(main())


def test_adopting_an_accepted_connection(loop: EventLoop) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            asking = loop.create_task(ask(listener.getsockname()))
            accepted, _ = await loop.run_in_executor(None, listener.accept)
            await loop.connect_accepted_socket(Echo, accepted)
            assert await asking == b"question"

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())


def test_arguments_that_do_not_fit_together(loop: EventLoop) -> None:
    sock = socket.socket()
    datagram = socket.socket(type=socket.SOCK_DGRAM)
    with sock, datagram:
        for call, error in (
            (loop.create_connection(Echo), ValueError),
            (loop.create_connection(Echo, "host", 1, sock=sock), ValueError),
            (loop.create_connection(Echo, sock=datagram), ValueError),
            (loop.create_connection(Echo, "host", 1, server_hostname="x"), ValueError),
            (loop.create_connection(Echo, "host", 1, ssl_handshake_timeout=1), ValueError),
            (loop.create_connection(Echo, "host", 1, ssl=object()), TypeError),
            (loop.create_server(Echo), ValueError),
            (loop.create_server(Echo, "host", 1, sock=sock), ValueError),
            (loop.create_server(Echo, sock=datagram), ValueError),
            (loop.create_server(Echo, "host", 1, ssl=True), TypeError),
            (loop.create_server(Echo, "host", 1, ssl=object()), TypeError),
            (loop.connect_accepted_socket(Echo, datagram), ValueError),
        ):
            with pytest.raises(error):
                loop.run_until_complete(call)
