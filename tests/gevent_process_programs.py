"""Programs on gevent with signals, subprocesses, forks and threads; see `gevent_programs.py`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from types import FrameType

import gevent
from gevent import event, socket, subprocess
from gevent.os import fork
from gevent_open_files import open_files
from muxloop.integrations.gevent.watchers import Async

hub = gevent.get_hub()


def signals_reach_watchers_and_handlers() -> None:
    got = event.Event()
    watching = gevent.signal_handler(signal.SIGUSR1, got.set)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    assert got.wait(60)
    watching.cancel()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL

    got.clear()

    def handler(_signum: int, _frame: FrameType | None) -> None:
        got.set()

    # A handler of Python's own queues callbacks while the loop waits without limit.
    signal.signal(signal.SIGUSR1, handler)
    reference = hub.loop.async_()
    reference.start(lambda: None)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    assert got.wait()
    reference.close()
    timer = hub.loop.timer(0)
    fired = event.Event()
    signal.signal(signal.SIGUSR1, lambda *_: timer.start(fired.set))
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    reference.start(lambda: None)
    assert fired.wait()


def ctrl_c_comes_to_the_main_greenlet_and_life_goes_on() -> None:
    for _ in range(3):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            gevent.sleep(60)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("slept on")
        gevent.sleep(0.001)
    assert gevent.spawn(lambda: 5).get() == 5


def subprocesses_end() -> None:
    before = open_files()
    assert subprocess.check_output([sys.executable, "-c", "print(5)"]) == b"5\n"
    many = [subprocess.Popen(["sh", "-c", f"exit {number}"]) for number in range(20)]
    assert [process.wait(60) for process in many] == list(range(20))
    killed = subprocess.Popen(["sleep", "60"])
    gevent.spawn_later(0.01, killed.kill)
    assert killed.wait() == -signal.SIGKILL
    try:
        subprocess.run(["sleep", "60"], timeout=0.05, check=False)
    except subprocess.TimeoutExpired:
        pass
    else:
        raise AssertionError("did not time out")
    assert subprocess.run(["sh", "-c", "kill -TERM $$"], check=False).returncode == -signal.SIGTERM
    assert open_files() == before


def subprocesses_end_without_pidfds() -> None:
    if hasattr(os, "pidfd_open"):
        del os.pidfd_open
    subprocesses_end()


def any_child_is_waited_for() -> None:
    before = open_files()
    children = {os.posix_spawnp("true", ["true"], os.environ) for _ in range(5)}
    time.sleep(0.01)  # some of them have ended, and their signals are gone, before the first wait
    children.add(os.posix_spawnp("sleep", ["sleep", "0.1"], os.environ))
    assert {gevent.os.waitpid(-1, 0) for _ in children} == {(pid, 0) for pid in children}
    assert open_files() == before


def a_child_that_stops_is_told_to_who_traces_it() -> None:
    child = os.posix_spawnp("sleep", ["sleep", "60"], os.environ)
    watcher = hub.loop.child(child, 1)
    seen: list[int] = []
    stopped = event.Event()

    def told() -> None:
        seen.append(watcher.rstatus)
        stopped.set()

    watcher.start(told)
    for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL):
        stopped.clear()
        os.kill(child, number)
        assert stopped.wait(60)
    assert [os.WIFSTOPPED(seen[0]), os.WIFCONTINUED(seen[1]), os.WIFSIGNALED(seen[2])] == [True] * 3
    watcher.close()


def a_status_that_somebody_else_took_is_not_waited_for_in_vain() -> None:
    child = os.posix_spawnp("true", ["true"], os.environ)
    watcher = hub.loop.child(child)
    waiting = gevent.spawn(hub.wait, watcher)
    gevent.sleep(0)
    os.waitpid(child, 0)
    waiting.get(timeout=60)
    assert watcher.rstatus == 255 << 8


def threads_answer() -> None:
    workers = hub.threadpool
    assert workers.map(lambda number: number * 2, range(50)) == [number * 2 for number in range(50)]
    with contextlib.suppress(ZeroDivisionError):
        workers.apply(lambda: 1 / 0)
        raise AssertionError("did not raise")
    for _ in range(200):
        workers.apply(threading.get_ident)
    woken: list[int] = []
    reference = hub.loop.async_()
    reference.start(lambda: None)

    def flood(first: int) -> None:
        for number in range(first, first + 1000):
            hub.loop.run_callback_threadsafe(woken.append, number)

    threads = [threading.Thread(target=flood, args=(first,)) for first in range(0, 4000, 1000)]
    for thread in threads:
        thread.start()
    while len(woken) < 4000:
        gevent.sleep(0.001)
    reference.close()
    assert sorted(woken) == list(range(4000))


def a_thread_that_wakes_the_loop_keeps_the_gil() -> None:
    sys.setswitchinterval(60)
    done: list[int] = []
    seen: list[list[int]] = []
    for number in range(300):
        woken = hub.loop.async_()
        woken.start(lambda: seen.append(list(done)))

        def work(number: int = number, woken: Async = woken) -> None:
            woken.send()
            done.append(number)

        threading.Thread(target=work).start()
        while len(seen) == number:
            hub.loop.run(once=True)
        woken.close()
    assert [len(numbers) for numbers in seen] == list(range(1, 301))


def every_thread_has_a_loop_of_its_own() -> None:
    before = open_files()

    def body(answers: list[object]) -> None:
        loop = gevent.get_hub().loop
        start = time.monotonic()
        gevent.joinall([gevent.spawn(gevent.sleep, 0.02) for _ in range(10)])
        answers += [type(loop), loop.default, loop is not hub.loop, time.monotonic() - start >= 0.02]
        gevent.get_hub().destroy()

    for answers in [[] for _ in range(5)]:
        thread = threading.Thread(target=body, args=(answers,))
        thread.start()
        thread.join()
        assert answers == [type(hub.loop), False, True, True]
    assert open_files() == before


def a_forked_child_goes_on_and_leaves_its_parent_alone() -> None:
    forks: list[int] = []
    watcher = hub.loop.fork(ref=False)
    watcher.start(lambda: forks.append(os.getpid()))
    hub.threadpool.apply(int)
    ours, theirs = socket.socketpair()
    waiting = gevent.spawn(ours.recv, 1)
    gevent.sleep(0)
    child = fork()
    if not child:
        status = 1
        with contextlib.suppress(BaseException):
            mine, other = socket.socketpair()
            reading = gevent.spawn(mine.recv, 1)
            gevent.sleep(0.01)
            other.send(b"x")
            assert reading.get(timeout=60) == b"x"
            assert hub.threadpool.apply(os.getpid) == os.getpid()
            ours.close()
            gevent.sleep(0.01)
            assert forks == [os.getpid()]
            status = 7
        os._exit(status)
    assert gevent.os.waitpid(child, 0) == (child, 7 << 8)
    theirs.send(b"y")
    assert waiting.get(timeout=60) == b"y"
    assert forks == []
