"""Factories that misbehave, to be judged as `hostile_factories:NAME`: a suite must outlive each of them."""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

Loop = asyncio.SelectorEventLoop


def sound():
    return Loop()


def raises():
    raise ValueError("no such luck\nand a second line \x1b[31m")


def gives_nothing():
    return None


def needs_an_argument(argument):
    return argument


def recurses():
    return recurses()


def has_no_memory():
    raise MemoryError


def quits():
    sys.exit("enough")


def exits():
    os._exit(3)


def sleeps():
    time.sleep(3600)


def stops_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


def kills_its_group():
    os.killpg(0, signal.SIGKILL)


def closes_every_file():
    os.closerange(3, 200)
    return Loop()


def forks():
    os.fork()
    return Loop()


def leaves_a_child():
    child = os.fork()
    if child == 0:
        time.sleep(3600)
    sys.stderr.write(f"{child}\n")
    return Loop()


def prints():
    sys.stdout.write("hello\n")
    os.write(1, b'{"error": "made up"}\n')
    return Loop()


def floods():
    sys.stderr.write("y" * 3_000_000 + "\n")
    return Loop()


def replaces_hooks():
    sys.excepthook = print
    sys.stdout = sys.stdin = None
    return Loop()


def starts_a_thread():
    threading.Thread(target=time.sleep, args=(3600,)).start()
    return Loop()


def wanders():
    os.chdir("/")
    os.umask(0o777)
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGABRT):
        signal.signal(number, signal.SIG_IGN)
    return Loop()


def seems_to_run():
    loop = Loop()
    asyncio._set_running_loop(loop)
    return loop


class ClockOfWords(Loop):
    def time(self):
        return "noon"


class AnswersStrangely(Loop):
    def remove_reader(self, _fd):
        return {(1, 2): object()}


class Blind(Loop):
    """Watches no files, as CPython's proactor loop of Windows."""

    def add_reader(self, *arguments):
        raise NotImplementedError

    add_writer = add_reader


class Lazy(Loop):
    """Leaves out what it has no mind to do."""

    def call_later(self, *arguments, **keywords):
        raise NotImplementedError("call_later: not yet")


class Hoards(Loop):
    """Takes memory as fast as it can, in its first turn."""

    def _run_once(self):
        hoard = []
        while True:
            hoard.append(b"x" * (16 << 20))


class Spins(Loop):
    """Comes to no end in its first turn."""

    def _run_once(self):
        while True:
            pass


class ExitsInACallback(Loop):
    """Whoever calls call_later learns that there are no timers here."""

    def call_later(self, *_arguments, **_keywords):
        return self.call_soon(os._exit, 7)


class Litters(Loop):
    """A process in which it was closed can be told from others."""

    def close(self):
        super().close()
        sys.excepthook = Litters
        os.environ["LITTER"] = str(id(self))


ONLY = Loop()


def always_the_same():
    return ONLY


def installs_signal_handlers():
    for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(os.open(os.devnull, os.O_WRONLY | os.O_NONBLOCK))
    return Loop()


def stops_the_clock():
    time.monotonic = lambda: 0.0
    return Loop()


def never_sleeps():
    time.sleep = lambda _seconds: None
    return Loop()


def is_patched_by_gevent():
    from gevent import monkey

    monkey.patch_all()
    return asyncio.SelectorEventLoop()


def changes_its_mind():
    """Sound in the first run, by which the file is written, and faulty in all others."""
    from faulty_cancellation import CancelledInBatchRuns

    first = Path(os.environ["MUXLOOP_TEST_FIRST_RUN"])
    run = str(os.getppid())
    if not first.exists():
        first.write_text(run)
    return Loop() if first.read_text() == run else CancelledInBatchRuns()


class Handless(Loop):
    def call_soon_threadsafe(self, callback, *args, context=None):
        super().call_soon_threadsafe(callback, *args, context=context)


def gives_no_handles():
    """As qasync 0.28 does: what is scheduled from another thread comes back as None."""
    return Handless()


class KeepsOwnLog(Loop):
    def default_exception_handler(self, context):
        logging.getLogger("acme.loops").error(context["message"])


def logs_elsewhere():
    """As qasync and talyn do: the default handler has a logger of its own."""
    return KeepsOwnLog()


class HasTasksOfItsOwn(Loop):
    def create_task(self, coro, **keywords):
        return asyncio.tasks._PyTask(coro, loop=self, **keywords)


def makes_other_tasks():
    """As talyn does: what create_task() gives is no asyncio.Task."""
    return HasTasksOfItsOwn()
