"""Actions on the life of the loop: run, stop, close, fork; and what it says when it is used wrongly."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from . import gauges
from .executors import Executors
from .stage import CHILD_S, VALUE


class LifeCycle(Executors):
    """run, run_until, stop, close, attempt, handler, executor, fork, measure."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._jobs: dict[str, threading.Event] = {}
        """The latest job of each label."""
        self._held_up: list[threading.Event] = []
        self.do_handler("note")

    def do_debug(self) -> None:
        self.loop.set_debug(True)

    def do_run(self) -> None:
        self.run(self.loop.run_forever)

    def do_run_until(self, label: str) -> None:
        future = self.futures.get(label)
        if future is not None:
            self.run(lambda: self.loop.run_until_complete(future))

    def do_stop(self) -> None:
        self._stop_wanted = True
        self.note("stop", within=self.running.label if self.running else "")
        self.loop.stop()

    def do_close(self) -> None:
        error = None
        try:
            self.loop.close()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        jobs = [label for label, job in self._jobs.items() if not job.is_set()]
        self.note("closed", error=error, is_closed=self.loop.is_closed(), jobs_running=jobs)

    def do_attempt(self, text: str) -> None:
        """Note what one call returns or raises; the calls are those of ``_attempts``."""
        error, result = None, None
        try:
            result = self._attempts()[text]()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("attempted", text, error=error, result=repr(result))

    def _attempts(self) -> dict[str, Callable[[], object]]:
        loop = self.loop
        return {
            "call_soon": lambda: loop.call_soon(int),
            "call_soon_threadsafe": lambda: loop.call_soon_threadsafe(int),
            "call_later": lambda: loop.call_later(0.001, int),
            "call_at": lambda: loop.call_at(loop.time(), int),
            "run_in_executor": lambda: loop.run_in_executor(None, int),
            "run_forever": loop.run_forever,
            "run_until_complete": lambda: _run_to_the_end(loop),
            "another loop": self._run_another_loop,
            "another loop with threads": lambda: self._run_another_loop(threads=True),
            "is_running": loop.is_running,
            "is_closed": loop.is_closed,
            "time": loop.time,
        }

    def _run_another_loop(self, *, threads: bool = False) -> None:
        running = threading.active_count()
        other = self.make_loop()
        try:
            if threads:
                job = other.run_in_executor(None, int)
                job.add_done_callback(lambda _: other.stop())
            else:
                other.call_soon_threadsafe(other.stop)
            other.run_forever()
        finally:
            other.close()
        deadline = time.monotonic() + self.tolerance
        while threading.active_count() > running and time.monotonic() < deadline:
            time.sleep(0.001)  # threads of an executor end on their own, a little after close()

    # -- exceptions --------------------------------------------------------------------------------------

    def do_handler(self, text: str) -> None:
        """What the loop's exception handler shall do: note, raise, or be the default one."""

        def handler(*arguments: Any) -> None:
            context = arguments[1] if len(arguments) == 2 and isinstance(arguments[1], dict) else {}
            exception = context.get("exception")
            self.note(
                "handled",
                str(exception) if exception is not None else "",
                arguments=len(arguments),
                loop_given=bool(arguments) and arguments[0] is self.loop,
                keys=sorted(context),
                exception=type(exception).__name__,
                message=str(context.get("message", "")),
                value=VALUE.get(),
            )
            if text == "raise":
                raise RuntimeError("this exception handler is broken")

        try:
            self.loop.set_exception_handler(None if text == "none" else handler)
        except Exception as error:
            self.note("attempted", "set_exception_handler", error=f"{type(error).__name__}: {error}")

    # -- executor ----------------------------------------------------------------------------------------

    def do_executor(self, label: str) -> None:
        job = self._jobs[label] = threading.Event()
        self._held_up.append(job)
        started = threading.Event()

        def work(_: object) -> str:
            started.set()
            job.wait(5)
            return label

        try:
            future = self.futures[label] = self.loop.run_in_executor(None, work, self.entrust(label, work))
        except Exception as error:
            self.note("attempted", "run_in_executor", error=f"{type(error).__name__}: {error}")
            return
        future.add_done_callback(lambda done: self._task_done(label, done))
        started.wait(5)
        self.note("executor-started", label)

    def do_release(self, label: str) -> None:
        if label in self._jobs and not self._jobs[label].is_set():
            self.note("released", label)
            self._jobs[label].set()
            if not self.loop.is_closed():
                self.expect(label)

    def release_jobs(self) -> None:
        for job in self._held_up:
            job.set()

    # -- fork --------------------------------------------------------------------------------------------

    def do_fork(self) -> None:
        """The child reports whether it sees a running loop; outside a run it also closes its copy."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            self._report_from_child(write_end)
        os.close(write_end)
        readable, _, _ = select.select([read_end], [], [], CHILD_S * self.tolerance)
        report = os.read(read_end, 4096) if readable else b""
        if not readable:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(read_end)
        said = json.loads(report) if report else {}
        self.note("forked", exit=os.waitstatus_to_exitcode(status), hung=not readable, **said)

    def _report_from_child(self, write_end: int) -> None:
        try:
            signal.alarm(int(CHILD_S * self.tolerance) + 1)
            report: dict[str, Any] = {"running": asyncio._get_running_loop() is not None, "close_error": None}
            if not self._inside_run:
                try:
                    self.loop.close()
                except Exception as error:
                    report["close_error"] = f"{type(error).__name__}: {error}"
            os.write(write_end, json.dumps(report).encode())
        finally:
            os._exit(0)

    def do_measure(self, text: str) -> None:
        self.note("measured", text, **gauges.read())


def _run_to_the_end(loop: asyncio.AbstractEventLoop) -> object:
    async def nothing() -> None:
        """Ends at once."""

    step = nothing()
    try:
        return loop.run_until_complete(step)
    finally:
        step.close()
