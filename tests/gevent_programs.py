"""Programs on gevent, each a function that checks what it sees; `test_integrations_gevent.py` runs them."""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
import time
import weakref

import gevent
from gevent import event, pool, queue, server, socket
from gevent.hub import LoopExit
from gevent_open_files import open_files

hub = gevent.get_hub()
PAYLOAD = bytes(range(256)) * 4


def timers_fire_by_deadline_and_equal_ones_as_armed() -> None:
    fired: list[int] = []
    for number, delay in enumerate((0.03, 0.02, 0.02, 0.02, 0.01)):
        hub.loop.timer(delay).start(fired.append, number)
    gevent.wait()
    assert fired == [4, 1, 2, 3, 0]
    equal = [hub.loop.timer(-1) for _ in range(50)]
    for number, timer in enumerate(equal):
        timer.start(fired.append, 100 + number)
    gevent.wait()
    assert fired[5:] == list(range(100, 150))


def no_timer_is_early() -> None:
    for delay in (0.0001, 0.001, 0.0033, 0.02) * 5:
        start = time.monotonic()
        gevent.sleep(delay)
        assert time.monotonic() - start >= delay
    # libev counts from the beginning of a turn; ours from the start of the timer, even if not asked to.
    ended = []
    timer = hub.loop.timer(0.05)

    def late_in_the_turn() -> None:
        time.sleep(0.04)
        timer.start(lambda: ended.append(time.monotonic()), update=False)

    start = time.monotonic()
    hub.loop.run_callback(late_in_the_turn)
    gevent.wait()
    assert ended[0] - start >= 0.09


def a_timer_repeats_and_begins_again() -> None:
    times: list[float] = []
    timer = hub.loop.timer(0.0, 0.01)
    start = time.monotonic()
    timer.start(lambda: (times.append(time.monotonic()), timer.stop() if len(times) == 5 else None))
    gevent.wait()
    assert len(times) == 5
    assert times[4] - start >= 0.04
    assert not timer.active
    assert timer.callback is None
    start = time.monotonic()
    timer.again(times.append, 0.0)
    assert timer.active
    hub.loop.run(once=True)
    while len(times) == 5:
        hub.loop.run(once=True)
    assert time.monotonic() - start >= 0.01
    timer.close()


def a_timeout_ends_a_wait_and_no_other() -> None:
    never = event.Event()
    start = time.monotonic()
    with contextlib.suppress(gevent.Timeout), gevent.Timeout(0.05):
        never.wait()
    assert time.monotonic() - start >= 0.05
    with gevent.Timeout(60):
        assert gevent.with_timeout(0.01, never.wait, timeout_value="over") == "over"
    assert gevent.joinall([gevent.spawn(gevent.sleep, 30)], timeout=0.01) == []


def a_pool_and_queues() -> None:
    workers = pool.Pool(5)
    running, most = set(), []

    def work(number: int) -> int:
        running.add(number)
        most.append(len(running))
        gevent.sleep(0.001)
        running.remove(number)
        return number * number

    assert workers.map(work, range(40)) == [number * number for number in range(40)]
    assert max(most) == 5
    tasks: queue.JoinableQueue = queue.JoinableQueue(3)
    seen: list[int] = []

    def consume() -> None:
        for task in tasks:
            seen.append(task)
            tasks.task_done()

    consumers = [gevent.spawn(consume) for _ in range(3)]
    for number in range(50):
        tasks.put(number)
    tasks.join()
    assert sorted(seen) == list(range(50))
    gevent.killall(consumers)


def sockets_with_more_than_fits() -> None:
    def echo(connection: socket.socket, _address: object) -> None:
        while data := connection.recv(65536):
            connection.sendall(data)
        connection.close()

    serving = server.StreamServer(("127.0.0.1", 0), echo)
    serving.start()

    def ask(size: int) -> int:
        with socket.create_connection(("127.0.0.1", serving.server_port)) as client:
            sender = gevent.spawn(client.sendall, PAYLOAD * size)
            received = bytearray()
            while len(received) < len(PAYLOAD) * size:
                received += client.recv(65536)
            sender.get()
            assert received == PAYLOAD * size
        return len(received)

    with gevent.Timeout(60):
        jobs = [gevent.spawn(ask, size) for size in [1] * 20 + [4096] * 3]
        assert sum(job.get() for job in gevent.joinall(jobs)) == len(PAYLOAD) * (20 + 3 * 4096)
    serving.stop()


def a_closed_socket_ends_its_wait_and_a_new_one_under_its_number_is_heard() -> None:
    numbers = set()
    for _ in range(20):
        ours, theirs = socket.socketpair()
        numbers.add(ours.fileno())
        waiting = gevent.spawn(ours.recv, 1)
        gevent.sleep(0)
        ours.close()
        waiting.join(60)
        assert isinstance(waiting.exception, OSError), waiting.exception
        theirs.close()
        ours, theirs = socket.socketpair()
        numbers.add(ours.fileno())
        waiting = gevent.spawn(ours.recv, 1)
        gevent.sleep(0)
        theirs.send(b"x")
        assert waiting.get(timeout=60) == b"x"
        ours.close()
        theirs.close()
    assert len(numbers) < 20


def what_nobody_waits_for_does_not_keep_the_loop_busy() -> None:
    ours, theirs = socket.socketpair()
    theirs.send(b"xx")
    assert ours.recv(1) == b"x"
    with contextlib.suppress(socket.timeout):
        theirs.settimeout(0.001)
        theirs.recv(1)
    # Both are readable or writable all the time, and were waited for.
    start = time.process_time()
    gevent.sleep(0.5)
    assert time.process_time() - start < 0.25


def a_changed_path_is_noticed() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        watcher = hub.loop.stat(path, 0.1)
        assert watcher.path == path
        for change in (lambda: open(path, "w").close(), lambda: os.unlink(path)):
            gevent.spawn_later(0.01, change)
            with gevent.Timeout(60):
                hub.wait(watcher)
            assert (watcher.attr is None) is not os.path.exists(path)
        assert watcher.prev is not None
        watcher.close()


def nothing_to_wait_for_is_told() -> None:
    try:
        event.Event().wait()
    except LoopExit:
        pass
    else:
        raise AssertionError("no LoopExit")
    timer = hub.loop.timer(60, ref=False)
    timer.start(lambda: None)
    assert gevent.wait(timeout=60) is True
    timer.close()


def watchers_of_a_turn_come_in_order() -> None:
    loop = hub.loop
    order: list[str] = []
    watchers = {"check": loop.check(), "prepare": loop.prepare(), "idle": loop.idle()}
    for name, watcher in watchers.items():
        watcher.start(order.append, name)
    for name, priority in (("low", loop.MINPRI), ("middle", 0), ("high", loop.MAXPRI)):
        loop.timer(0, priority=priority).start(order.append, name)
    loop.run_callback(order.append, "callback")
    loop.run(nowait=True)
    assert order == ["prepare", "callback", "high", "middle", "check", "low"]
    order.clear()
    loop.run(nowait=True)
    assert order == ["prepare", "idle", "check"]
    for watcher in watchers.values():
        watcher.close()
    assert loop.activecnt == 0


def what_fails_is_reported_and_the_rest_goes_on() -> None:
    hub.exception_stream = None
    seen: list[object] = []
    hub.print_exception = lambda context, *_: seen.append(context)
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    watcher = hub.loop.io(ours.fileno(), 1)
    watcher.start(lambda: 1 / 0)
    hub.loop.run_callback(lambda: 1 / 0)
    hub.loop.timer(0).start(lambda: 1 / 0)
    gevent.sleep(0.01)
    assert len(seen) == 3
    assert not watcher.active
    assert gevent.spawn(lambda: 5).get() == 5


def callbacks_that_go_on_for_ever_starve_nobody() -> None:
    fired: list[str] = []
    ours, theirs = socket.socketpair()

    def again() -> None:
        if len(fired) < 2:
            hub.loop.run_callback(again)

    again()
    hub.loop.timer(0.01).start(fired.append, "timer")
    reading = gevent.spawn(ours.recv, 1)
    reading.link(lambda _: fired.append("socket"))
    theirs.send(b"x")
    gevent.wait()
    assert sorted(fired) == ["socket", "timer"]


def a_loop_is_destroyed_by_a_callback_of_its_own() -> None:
    loop = type(hub.loop)(default=False)
    loop.timer(60).start(lambda: None)
    loop.run_callback(loop.destroy)
    loop.run()
    assert repr(loop).endswith("destroyed>")
    refused = 0
    for call in (loop.run, lambda: loop.run_callback(int), lambda: loop.activecnt):
        try:
            call()
        except ValueError:
            refused += 1
    assert refused == 3


def a_destroyed_hub_leaves_nothing() -> None:
    before = open_files()
    for _ in range(5):
        gevent.sleep(0.001)
        loop = gevent.get_hub().loop
        gevent.get_hub().destroy(destroy_loop=True)
        assert loop.destroy() is False
        gone = weakref.ref(loop)
        del loop
        gc.collect()
        assert gone() is None
    assert open_files() <= before
