"""How the faults of `faulty_resources` show."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from symptoms import count_polls, run, shows, socket_pairs, turn


@shows("duplicates_watched_files", right=0)
def no_descriptor_is_left_by_a_reader(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(ours, _)]:
        before = set(os.listdir("/proc/self/fd"))
        loop.add_reader(ours, int)
        loop.remove_reader(ours)
        left = set(os.listdir("/proc/self/fd")) - before
        for number in left:
            os.close(int(number))
    return len(left)


@shows("thread_outlives_its_loop", right=0)
def no_thread_is_left_by_a_wake_up(loop: Any, _patience_s: float) -> object:
    before = threading.active_count()
    loop.call_soon_threadsafe(int)
    turn(loop)
    loop.close()
    return threading.active_count() - before


class Argument:
    """What can be watched by a weak reference."""


@shows("keeps_what_ran", right=True)
def what_ran_is_let_go(loop: Any, patience_s: float) -> object:
    argument = Argument()
    watched = weakref.ref(argument)
    loop.call_later(0, lambda _: loop.stop(), argument)
    del argument
    run(loop, patience_s)
    gc.collect()
    return watched() is None


@shows("close_keeps_the_queue", right=True)
def what_never_ran_is_let_go(loop: Any, _patience_s: float) -> object:
    argument = Argument()
    watched = weakref.ref(argument)
    loop.call_soon(int, argument)
    del argument
    loop.close()
    gc.collect()
    return watched() is None


@shows("self_pipe_is_left_to_the_collector", right=[])
def nothing_is_left_to_the_collector(loop: Any, _patience_s: float) -> object:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        loop.close()
        loop.__dict__.clear()  # the test still holds the loop
        loop._closed = True
        gc.collect()
    return [warning.category.__name__ for warning in warned]


@shows("reports_what_was_cancelled", right=[])
def nobody_hears_of_what_was_cancelled(loop: Any, _patience_s: float) -> object:
    told: list[object] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context["message"]))
    loop.call_soon(int).cancel()
    turn(loop)
    return told


@shows("ticks_at_rest", right=True)
def a_loop_at_rest_does_not_look_up(loop: Any, _patience_s: float) -> object:
    polls = count_polls(loop)
    most = 0
    for _ in range(5):  # on a busy machine a tick may come late
        before = len(polls)
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
        most = max(most, len(polls) - before)
    return most < 10


@shows("polls_at_rest", right=True)
def a_loop_that_watches_waits(loop: Any, _patience_s: float) -> object:
    polls = count_polls(loop)
    with socket_pairs(1) as [(ours, _)]:
        loop.add_reader(ours, int)
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
        loop.remove_reader(ours)
    return len(polls) < 10


@shows("keeps_the_wake_up_file", right=-1)
def signals_wake_no_closed_loop(loop: Any, _patience_s: float) -> object:
    loop.call_soon_threadsafe(int)
    turn(loop)
    return signal.set_wakeup_fd(-1)


@shows("duplicates_receiving_sockets", right=0)
def no_descriptor_is_left_by_receiving(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(ours, peer)]:
        peer.send(b"x")
        before = set(os.listdir("/proc/self/fd"))
        loop.run_until_complete(loop.sock_recv(ours, 1))
        left = set(os.listdir("/proc/self/fd")) - before
        for number in left:
            os.close(int(number))
    return len(left)


@shows("looks_up_in_threads_that_stay", right=0)
def no_thread_is_left_by_a_look_up(loop: Any, _patience_s: float) -> object:
    before = set(threading.enumerate())
    loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 80))
    loop.run_until_complete(loop.shutdown_default_executor())
    return len(set(threading.enumerate()) - before)


@shows("keeps_cancelled_jobs", right=True)
def a_cancelled_job_is_let_go(loop: Any, _patience_s: float) -> object:
    begin, argument = threading.Event(), Argument()
    watched = weakref.ref(argument)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(begin.wait)
        loop.run_in_executor(pool, id, argument).cancel()
        turn(loop)
        begin.set()
    del argument
    gc.collect()
    return watched() is None


@shows("keeps_removed_signal_handlers", right=True)
def a_removed_handler_is_let_go(loop: Any, _patience_s: float) -> object:
    argument = Argument()
    watched = weakref.ref(argument)
    loop.add_signal_handler(signal.SIGUSR1, id, argument)
    loop.remove_signal_handler(signal.SIGUSR1)
    del argument
    gc.collect()
    return watched() is None


@shows("leaves_its_profiler", right=None)
def no_profiler_is_left_by_a_run(loop: Any, _patience_s: float) -> object:
    before = sys.getprofile()
    loop.set_debug(True)
    turn(loop)
    left = sys.getprofile()
    sys.setprofile(before)
    return left if left is not before else None
