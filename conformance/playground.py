"""Where programs are played: a worker process with a hard time limit, replaced whenever it hangs or dies."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, Any

from ..errors import SubjectError
from .history import Event, History
from .program import Program
from .vitals import busy_s, cpu_s, resident_bytes

HARD_LIMIT_S = 6.0
"""A play that has not answered after this time (times the tolerance) hangs."""
ABANDONED = 3
"""A play that goes on for so many hard limits has lost its suite; the process ends itself."""
STDERR_KEPT = 4000
"""So many bytes of a dead worker's standard error are kept, the last ones."""
MEMORY_LIMIT_MIB = 1024
"""A playing process that holds more is ended, lest it takes the whole machine along; on Linux only."""
_SPINNING = 0.9
"""A play that hangs spins if it ran, or waited for a CPU that others had, for more than this part of the
second half of its time: imports fall into the first, or end in the second where the machine is busy."""
_LOOK_EACH_S = 0.05
_STACK_S = 1.0
"""How long faulthandler gets to write the stacks of a process that hangs."""


class Playground:
    """Plays programs on one subject; a context manager.

    Nothing that a subject does ends the run: a hang is killed after ``hard_limit_s``, a process that grows
    past ``memory_limit_mib`` as soon as that is seen, and a death is noticed at once. All come back as
    histories with that outcome.
    """

    def __init__(
        self,
        subject: str,
        tolerance: float = 1.0,
        hard_limit_s: float = HARD_LIMIT_S,
        memory_limit_mib: int = MEMORY_LIMIT_MIB,
    ) -> None:
        self.subject = subject
        self.tolerance = tolerance
        self.hard_limit_s = hard_limit_s * tolerance
        self.memory_limit_mib = memory_limit_mib
        self._overgrown = False
        self._halfway_s = 0.0, 0.0
        self._worker: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stderr: IO[bytes] | None = None

    def __enter__(self) -> Playground:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def describe(self) -> dict[str, Any] | History:
        """What the subject is: type, version, backend; a history when building it hangs or crashes.

        Raises SubjectError when the factory raises or gives no loop.
        """
        answer = self._ask({"ask": "describe"})
        if answer is None:
            return self._ended(())
        if "error" in answer:
            raise SubjectError(answer["error"])
        return answer

    def play(self, program: Program) -> History:
        """Play the program; always comes back with a history."""
        answer = self._ask({"ask": "play", "program": program, "tolerance": self.tolerance})
        if answer is None:
            return self._ended(program)
        if "error" in answer:
            return History(program, outcome="crashed", detail=answer["error"], tolerance=self.tolerance)
        events = tuple(Event(index, *event) for index, event in enumerate(answer["events"]))
        if answer["polluted"]:
            self.stop()  # what is played next shall not suffer for it
        return History(program, events, resolution=answer["resolution"], tolerance=self.tolerance)

    # -- the worker -----------------------------------------------------------------------------------

    def _ask(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """The worker's answer, or None when it hung or died."""
        worker = self._worker or self._start()
        assert worker.stdin is not None
        whole = {**question, "subject": self.subject, "abandoned_after_s": ABANDONED * self.hard_limit_s}
        try:
            worker.stdin.write(json.dumps(whole) + "\n")
            worker.stdin.flush()
        except OSError:
            return None
        line = self._line_from(worker)
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def _line_from(self, worker: subprocess.Popen[str]) -> str:
        """The next line of the worker; empty when it died, hangs or has grown too large."""
        halfway = False
        deadline = time.monotonic() + self.hard_limit_s
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=min(left, _LOOK_EACH_S))
            if resident_bytes(worker.pid) > self.memory_limit_mib * 2**20:
                self._overgrown = True
                break
            if not halfway and left < self.hard_limit_s / 2:
                halfway, self._halfway_s = True, (cpu_s(worker.pid), busy_s(worker.pid))
        return ""

    def _start(self) -> subprocess.Popen[str]:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._worker = subprocess.Popen(
            [sys.executable, "-P", "-c", "from muxloop.conformance.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            encoding="utf-8",
            env=environment,
            start_new_session=True,  # so that stop() also reaches what a subject forked
        )
        self._answers, self._overgrown = queue.SimpleQueue(), False
        threading.Thread(target=_read_lines, args=(self._worker.stdout, self._answers), daemon=True).start()
        assert self._worker.stdin is not None
        self._worker.stdin.write(json.dumps({"sys_path": sys.path}) + "\n")
        return self._worker

    def _ended(self, program: Program) -> History:
        """The history of a play that hung or died; the worker is gone after this."""
        worker = self._worker
        assert worker is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(0.2)  # its end of the pipe closes a little before it can be waited for
        hung = worker.poll() is None
        cpu_before_s, busy_before_s = self._halfway_s
        spent_s, was_busy_s = cpu_s(worker.pid) - cpu_before_s, busy_s(worker.pid) - busy_before_s
        if hung and hasattr(signal, "SIGABRT") and os.name == "posix":
            worker.send_signal(signal.SIGABRT)  # faulthandler writes the stack of each thread
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(_STACK_S)
        if hung and self._overgrown:
            limit = f"{self.memory_limit_mib} MiB of memory"
            outcome, detail = "crashed", f"the playing process took more than {limit}, and was ended"
        elif hung:
            half_s = self.hard_limit_s / 2
            spins = f"; it spins: {spent_s:.1f} s of CPU in the last {half_s:.1f} s"
            spins = spins if was_busy_s > _SPINNING * half_s else ""
            outcome, detail = "hung", f"no answer within {self.hard_limit_s:.1f} s{spins}"
        else:
            outcome, detail = "crashed", f"the playing process {how_it_ended(worker.returncode)}"
        stderr = self.stop()
        return History(program, outcome=outcome, detail=detail, stderr=stderr, tolerance=self.tolerance)

    def stop(self) -> str:
        """End the worker; what it wrote to standard error, shortened to the last lines."""
        worker, self._worker = self._worker, None
        if worker is None:
            return ""
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(worker.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            worker.kill()  # it may have left its process group
        worker.wait()
        assert worker.stdin is not None
        with contextlib.suppress(OSError):
            worker.stdin.close()
        assert self._stderr is not None
        with self._stderr as stderr:
            size = stderr.seek(0, os.SEEK_END)
            stderr.seek(max(0, size - STDERR_KEPT))
            return stderr.read(STDERR_KEPT).decode(errors="replace")


def _read_lines(pipe: IO[str], answers: queue.SimpleQueue[str]) -> None:
    """Pass the answers on until the pipe ends, and close it: close() elsewhere would wait for this read."""
    with contextlib.suppress(ValueError, OSError), pipe:
        for line in pipe:
            answers.put(line)
    answers.put("")


def how_it_ended(returncode: int) -> str:
    """``died of SIGSEGV`` or ``exited with code 3``."""
    if returncode >= 0:
        return f"exited with code {returncode}"
    try:
        return f"died of {signal.Signals(-returncode).name}"
    except ValueError:
        return f"died of signal {-returncode}"
