"""Tornado on muxloop: an IOLoop of the policy's making, and one around a loop that already runs."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any

import muxloop
import pytest
from example_runs import EXAMPLES
from loops_under_test import OURS

pytest.importorskip("tornado")

from tornado import gen, httpclient, httpserver, ioloop, iostream, locks, queues, tcpclient, tcpserver, web
from tornado.ioloop import IOLoop

Scene = Callable[[], Coroutine[Any, Any, None]]
PEM = str(EXAMPLES / "localhost.pem")


@pytest.fixture(params=OURS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def policy(backend: str) -> Iterator[None]:
    """What ``IOLoop()`` makes, and what it may leave behind in this thread."""
    if not hasattr(asyncio, "set_event_loop_policy"):
        pytest.skip("this Python has no policies")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.14 on policies will go
        asyncio.set_event_loop_policy(muxloop.EventLoopPolicy(backend))
        asyncio.set_event_loop(None)  # or the policy makes one for IOLoop() to put back, which nobody closes
        yield
        asyncio.set_event_loop_policy(None)


def run_by_policy(backend: str, scene: Scene) -> None:  # noqa: ARG001 - the fixture knows it
    loop = IOLoop()
    try:
        assert isinstance(loop.asyncio_loop, muxloop.EventLoop)  # type: ignore[attr-defined]
        loop.run_sync(scene, timeout=60)
    finally:
        loop.close()


def run_by_factory(backend: str, scene: Scene) -> None:
    with asyncio.Runner(loop_factory=lambda: muxloop.new_event_loop(backend)) as runner:
        runner.run(scene())


@pytest.fixture(params=[run_by_policy, run_by_factory], ids=["policy", "loop_factory"])
def run(request: pytest.FixtureRequest, backend: str) -> Callable[[Scene], None]:
    """Runs a scene on muxloop; within, ``IOLoop.current()`` is an IOLoop on that loop."""
    if request.param is run_by_policy:
        request.getfixturevalue("policy")
    return lambda scene: request.param(backend, scene)


def test_current_is_an_io_loop_on_the_running_loop(run: Callable[[Scene], None], backend: str) -> None:
    async def scene() -> None:
        running = asyncio.get_running_loop()
        assert isinstance(running, muxloop.EventLoop)
        assert f"selector={backend}" in repr(running)
        current = IOLoop.current()
        assert current.asyncio_loop is running  # type: ignore[attr-defined]
        assert IOLoop.current() is current
        assert abs(current.time() - running.time()) >= 0

    run(scene)


def test_callbacks_and_timeouts(run: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        loop = IOLoop.current()
        seen: list[str] = []
        done = asyncio.Event()
        loop.add_callback(seen.append, "callback")
        loop.spawn_callback(seen.append, "spawned")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # add_callback is as safe since Tornado 6
            loop.add_callback_from_signal(seen.append, "from signal")
        loop.remove_timeout(loop.call_later(0, seen.append, "removed"))
        loop.add_timeout(timedelta(milliseconds=1), seen.append, "delta")
        loop.call_at(loop.time() + 0.005, done.set)
        future: asyncio.Future[int] = asyncio.Future()
        loop.add_future(future, lambda ended: seen.append(f"future {ended.result()}"))
        future.set_result(42)
        await done.wait()
        assert sorted(seen) == ["callback", "delta", "from signal", "future 42", "spawned"]
        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(timedelta(milliseconds=1), asyncio.Future())

    run(scene)


def test_periodic_callbacks_run_until_stopped(run: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        loop = IOLoop.current()
        enough = asyncio.Event()
        ticks: list[float] = []

        async def tick() -> None:
            ticks.append(loop.time())
            if len(ticks) == 5:
                periodic.stop()
                enough.set()

        periodic = ioloop.PeriodicCallback(tick, 2)
        begun = loop.time()
        periodic.start()
        await enough.wait()
        assert not periodic.is_running()
        assert ticks[-1] - begun >= 0.010 - 1e-6  # 5 times 2 ms, in floats

    run(scene)


def test_executors_and_threads(run: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        loop = IOLoop.current()
        thread = await loop.run_in_executor(None, threading.get_ident)
        assert thread != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        called = asyncio.Event()
        other = threading.Thread(target=loop.add_callback, args=(called.set,))
        other.start()
        await called.wait()
        other.join()

    run(scene)


def test_handlers_of_files(run: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        loop = IOLoop.current()
        ours, theirs = socket.socketpair()
        seen: list[int] = []
        happened = locks.Event()

        def ready(file: Any, events: int) -> None:
            assert file is ours
            seen.append(events)
            happened.set()
            loop.update_handler(ours, IOLoop.READ)

        with ours, theirs:
            ours.setblocking(False)
            loop.add_handler(ours, ready, IOLoop.WRITE)
            await happened.wait()
            assert seen[0] == IOLoop.WRITE
            await asyncio.sleep(0)
            happened.clear()
            seen.clear()
            theirs.send(b"x")
            await happened.wait()
            assert seen[0] == IOLoop.READ
            with pytest.raises(ValueError, match="added twice"):
                loop.add_handler(ours, ready, IOLoop.READ)
            loop.remove_handler(ours)
            seen.clear()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert seen == []

    run(scene)


class Echo(tcpserver.TCPServer):
    """Sends back what it reads, line by line, until the client closes."""

    async def handle_stream(self, stream: iostream.IOStream, address: Any) -> None:  # noqa: ARG002
        try:
            while True:
                await stream.write(await stream.read_until(b"\n"))
        except iostream.StreamClosedError:
            pass


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_streams(run: Callable[[Scene], None], tls: bool) -> None:
    serving = trusting = None
    if tls:
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(PEM)
        trusting = ssl.create_default_context(cafile=PEM)

    async def scene() -> None:
        server = Echo(ssl_options=serving)
        server.listen(0, "127.0.0.1")
        (listener,) = server._sockets.values()
        host = "localhost" if tls else "127.0.0.1"
        stream = await tcpclient.TCPClient().connect(
            host, listener.getsockname()[1], af=socket.AF_INET, ssl_options=trusting
        )
        line = bytes(range(11, 256)) * 4000 + b"\n"
        for _ in range(3):
            stream.write(line)
            assert await stream.read_until(b"\n") == line
        stream.close()
        server.stop()
        with pytest.raises(iostream.StreamClosedError):
            await stream.read_bytes(1)

    run(scene)


def test_locks_queues_and_coroutines(run: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        queue: queues.Queue[int] = queues.Queue(maxsize=2)
        lock, few, condition = locks.Lock(), locks.Semaphore(2), locks.Condition()
        taken: list[int] = []

        @gen.coroutine
        def consume() -> Any:
            for _ in range(5):
                item = yield queue.get()
                with (yield lock.acquire()):
                    taken.append(item)
                    yield gen.moment
                queue.task_done()
            raise gen.Return("all")

        consumer = consume()
        for number in range(5):
            async with few:
                await queue.put(number)
        await queue.join()
        assert taken == list(range(5))
        assert await consumer == "all"
        waiting = condition.wait()
        condition.notify()
        assert await waiting is True
        assert await condition.wait(timeout=timedelta(milliseconds=1)) is False

    run(scene)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_server_and_a_client(run: Callable[[Scene], None], tls: bool) -> None:
    class Number(web.RequestHandler):
        async def get(self, number: str) -> None:
            await asyncio.sleep(0)
            self.write(number * 1000)

    serving = None
    if tls:
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(PEM)

    async def scene() -> None:
        server = httpserver.HTTPServer(web.Application([(r"/(\d+)", Number)]), ssl_options=serving)
        server.listen(0, "127.0.0.1")
        (listener,) = server._sockets.values()
        base = f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}"
        client = httpclient.AsyncHTTPClient(force_instance=True, max_clients=20)
        requests = [client.fetch(f"{base}/{number}", ca_certs=PEM, allow_ipv6=False) for number in range(100)]
        for number, answer in enumerate(await gen.multi(requests)):
            assert answer.body == str(number).encode() * 1000
        with pytest.raises(httpclient.HTTPClientError, match="404"):
            await client.fetch(f"{base}/none", ca_certs=PEM, allow_ipv6=False)
        client.close()
        server.stop()
        await server.close_all_connections()

    run(scene)


@pytest.mark.usefixtures("policy")
def test_an_io_loop_starts_and_stops_as_often_as_it_likes(backend: str) -> None:
    loop = IOLoop(make_current=True)
    seen: list[bool] = []
    for _ in range(3):
        loop.add_callback(lambda: seen.append(IOLoop.current() is loop))
        loop.call_later(0, loop.stop)
        loop.start()
    assert seen == [True] * 3
    assert f"selector={backend}" in repr(loop.asyncio_loop)  # type: ignore[attr-defined]
    with pytest.raises(ioloop.TimeoutError):
        loop.run_sync(asyncio.Future, timeout=0.001)
    loop.close()
    loop.clear_current()


@pytest.mark.usefixtures("policy")
def test_an_io_loop_in_a_thread_takes_callbacks_and_closes_its_files() -> None:
    ours, theirs = socket.socketpair()
    up = threading.Event()
    loops: list[IOLoop] = []

    def serve() -> None:
        loop = IOLoop()
        loops.append(loop)
        loop.add_handler(ours, lambda *_: loop.stop(), IOLoop.READ)
        loop.add_callback(up.set)
        loop.start()
        loop.close(all_fds=True)

    thread = threading.Thread(target=serve)
    thread.start()
    up.wait()
    loops[0].add_callback(theirs.send, b"x")
    thread.join()
    assert ours.fileno() == -1
    theirs.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.usefixtures("policy")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_subprocess_of_tornado_is_awaited(backend: str) -> None:
    from tornado.process import Subprocess

    async def scene() -> None:
        try:
            child = Subprocess([sys.executable, "-c", "print('out')"], stdout=Subprocess.STREAM)
            assert await child.stdout.read_until_close() == f"out{os.linesep}".encode()
            assert await child.wait_for_exit() == 0
        finally:
            Subprocess.uninitialize()

    run_by_policy(backend, scene)
