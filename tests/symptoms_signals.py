"""How the faults of `faulty_signals` show."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import muxloop
from faulty_signals import TruthfulLoop, send
from symptoms import error_of, run, shows, socket_pairs, turn

STORM = 1000


@shows("signal_handler_cuts_in", right=["callback begins", "callback ends", "handler"])
def a_handler_waits_for_its_turn(loop: Any, patience_s: float) -> object:
    log: list[str] = []

    def callback() -> None:
        log.append("callback begins")
        send("SIGUSR1")
        log.append("callback ends")
        loop.call_later(0.01, loop.stop)

    loop.add_signal_handler(signal.SIGUSR1, log.append, "handler")
    loop.call_soon(callback)
    run(loop, patience_s)
    loop.remove_signal_handler(signal.SIGUSR1)
    return log


@shows("signal_wakes_nobody", right=True)
def a_signal_ends_the_wait(loop: Any, patience_s: float) -> object:
    began = loop.time()
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    thread = threading.Timer(0.02, send, ["SIGUSR1"])
    loop.call_soon(thread.start)
    run(loop, patience_s)
    thread.join()
    loop.remove_signal_handler(signal.SIGUSR1)
    return loop.time() - began < patience_s * 0.9


@shows("signal_heard_twice", right=["heard"])
def one_signal_is_heard_once(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, log.append, "heard")
    loop.call_soon(send, "SIGUSR1")
    turn(loop, 6)
    loop.remove_signal_handler(signal.SIGUSR1)
    return log


@shows("first_signal_handler_stays", right=["second"])
def the_second_handler_replaces_the_first(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    for name in ("first", "second"):
        loop.add_signal_handler(signal.SIGUSR1, log.append, name)
    loop.call_soon(send, "SIGUSR1")
    turn(loop, 6)
    loop.remove_signal_handler(signal.SIGUSR1)
    return log


@shows("removal_deafens_the_others", right=["heard"])
def removing_one_handler_leaves_the_other(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    for name in ("SIGUSR1", "SIGUSR2"):
        loop.add_signal_handler(getattr(signal, name), log.append, "heard")
    loop.remove_signal_handler(signal.SIGUSR2)
    loop.call_soon(send, "SIGUSR1")
    turn(loop, 6)
    loop.remove_signal_handler(signal.SIGUSR1)
    return log


@shows("uncatchable_accepted", right="ValueError", sound=(TruthfulLoop,))
def sigkill_cannot_be_caught(loop: Any, _patience_s: float) -> object:
    return error_of(loop.add_signal_handler, signal.SIGKILL, int)


@shows("signal_removal_says_nothing", right=[True, False])
def removal_says_whether_there_was_one(loop: Any, _patience_s: float) -> object:
    loop.add_signal_handler(signal.SIGUSR1, int)
    return [loop.remove_signal_handler(signal.SIGUSR1) for _ in range(2)]


@shows("signal_before_run_lost", right=["heard"])
def a_signal_before_the_run_is_heard_in_it(loop: Any, _patience_s: float) -> object:
    log: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, log.append, "heard")
    send("SIGUSR1")
    turn(loop, 6)
    loop.remove_signal_handler(signal.SIGUSR1)
    return log


@shows("ctrl_c_swallowed_by_wait", "ctrl_c_leaves_at_once", right=["cancelled", "KeyboardInterrupt"])
def ctrl_c_cancels_the_main_task_first(loop: Any, patience_s: float) -> object:
    log: list[str] = []

    async def main() -> None:
        thread = threading.Timer(0.02, send, ["SIGINT"])
        thread.start()
        try:
            await asyncio.sleep(patience_s)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            thread.join()

    runner = asyncio.Runner(loop_factory=lambda: loop)
    try:
        runner.run(main())
    except KeyboardInterrupt:
        log.append("KeyboardInterrupt")
    runner.close()
    return log


@shows("ctrl_c_ends_the_wait_alone", right="KeyboardInterrupt")
def ctrl_c_leaves_a_run_that_sleeps(loop: Any, patience_s: float) -> object:
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Timer(0.02, send, ["SIGINT"])
    loop.call_soon(thread.start)
    try:
        run(loop, patience_s)
    except KeyboardInterrupt:
        return "KeyboardInterrupt"
    finally:
        thread.join()
        signal.signal(signal.SIGINT, former)
    return "it slept on"


@shows("signals_starve_timers", "signals_starve_readers", right=[True, True])
def a_storm_lets_others_have_their_turn(loop: Any, patience_s: float) -> object:
    log: list[str] = []

    def storm() -> None:
        log.append("signal")
        if log.count("signal") < STORM:
            send("SIGUSR1")
        else:
            loop.stop()

    def read() -> None:
        log.append("reader")
        loop.remove_reader(ours)

    def begin() -> None:
        send("SIGUSR1")
        loop.call_later(0, log.append, "timer")
        loop.call_later(0.001, peer.send, b"x")

    loop.add_signal_handler(signal.SIGUSR1, storm)
    with socket_pairs(1) as ((ours, peer),):
        loop.add_reader(ours, read)
        loop.call_soon(begin)
        run(loop, patience_s)
        loop.remove_reader(ours)
    loop.remove_signal_handler(signal.SIGUSR1)
    return [name in log[: STORM // 2] for name in ("reader", "timer")]


@shows("signal_byte_refused", right=["single"], sound=(muxloop.EventLoop,))
def a_flood_of_one_signal_leaves_room_for_another(loop: Any, patience_s: float) -> object:
    log: list[str] = []

    def flood() -> None:
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
        for _ in range(1000):
            send("SIGUSR1")
        send("SIGUSR2")
        loop.call_later(min(patience_s, 0.1), loop.stop)

    loop.add_signal_handler(signal.SIGUSR1, int)
    loop.add_signal_handler(signal.SIGUSR2, log.append, "single")
    loop.call_soon(flood)
    loop.run_forever()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        loop.remove_signal_handler(number)
    return log


@shows("replacing_forgets_the_signal", right=["heard"], sound=(asyncio.SelectorEventLoop, muxloop.EventLoop))
def a_replaced_handler_passes_its_signal_on(loop: Any, patience_s: float) -> object:
    log: list[str] = []

    def replace() -> None:
        send("SIGUSR1")
        loop.add_signal_handler(signal.SIGUSR1, log.append, "heard")
        loop.call_later(min(patience_s, 0.1), loop.stop)

    loop.add_signal_handler(signal.SIGUSR1, log.append, "heard")
    loop.call_soon(replace)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    return log
