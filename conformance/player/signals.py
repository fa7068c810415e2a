"""Actions on signals: handlers that run in the loop, and Ctrl-C under asyncio's Runner."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from ..program import Program
from .scheduling import Scheduling

_CTRL_C = "Ctrl-C"
"""What is expected until somebody has pressed it."""


class _Handler:
    """A handler of a signal: performs its body and notes that it does."""

    def __init__(self, stage: Signals, name: str, number: int, body: Program) -> None:
        self.stage, self.name, self.number, self.body = stage, name, number, body
        self.runs = 0

    def __call__(self, *_: object) -> None:
        stage = self.stage
        self.runs += 1
        sent = stage.sent.get(self.number)
        stage.enter(self.name, self.runs)
        outer, stage.handling = stage.handling, self
        try:
            stage.perform(self.body)
        finally:
            stage.handling = outer
            stage.leave(self.name)
            stage.expect_again(self, sent)


class Signals(Scheduling):
    """add_signal, remove_signal, kill, resend, refuse_signal, press, runner, interrupt.

    A signal is only sent while a handler of the loop takes it: it would end the process otherwise.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.sending = threading.RLock()
        self.sent: dict[int, int] = {}
        self.handling: _Handler | None = None
        self._holders: dict[int, str] = {}
        self._dispositions: dict[int, Any] = {}
        self._main_goes_on = False
        self._presses: list[threading.Timer] = []

    def do_add_signal(self, text: str, label: str, body: Program) -> None:
        name, number = self.fresh(label), getattr(signal, text)
        self._dispositions.setdefault(number, signal.getsignal(number))
        handler = _Handler(self, name, number, body)
        argument = self.entrust(name, handler)
        add = "add_signal_handler"
        error, _ = self._error_of(add, lambda loop: loop.add_signal_handler(number, handler, argument))
        with self.sending:
            self.note("signal-added", name, signal=text, error=error)
            if error is None:
                self.met(self._holders.get(number, ""))
                self._holders[number] = name

    def do_remove_signal(self, text: str) -> None:
        number = getattr(signal, text)
        with self.sending:  # what is sent meanwhile would find the default action
            holder = self._holders.pop(number, None)
            remove = "remove_signal_handler"
            error, result = self._error_of(remove, lambda loop: loop.remove_signal_handler(number))
            self.note("signal-removed", text, was_there=holder is not None, result=result, error=error)
            if holder is not None:
                self.met(holder)

    def _error_of(
        self, method: str, call: Callable[[asyncio.AbstractEventLoop], object]
    ) -> tuple[str | None, object]:
        """What the call raises, as text, and what it returns; a missing method is one not implemented."""
        if not hasattr(self.loop, method):
            return f"NotImplementedError: the loop has no {method}()", None
        try:
            return None, call(self.loop)
        except Exception as error:
            return f"{type(error).__name__}: {error}", None

    def do_kill(self, text: str, count: int = 1) -> None:
        for _ in range(count):
            self._send(getattr(signal, text), text)

    def do_resend(self, count: int) -> None:
        handler = self.handling
        if handler is not None and handler.runs < count:
            self._send(handler.number, signal.Signals(handler.number).name)

    def _send(self, number: int, name: str) -> None:
        with self.sending:
            holder = self._holders.get(number)
            if holder is None or self.loop.is_closed():
                self.note("unsent", name)
                return
            self.sent[number] = self.sent.get(number, 0) + 1
            self.expect(holder)
            self.note("signal-sent", name)
            os.kill(os.getpid(), number)

    def expect_again(self, handler: _Handler, sent: int | None) -> None:
        """After a run: one more signal may have come while this one was handled."""
        with self.sending:
            if self._holders.get(handler.number) == handler.name and self.sent.get(handler.number) != sent:
                self.expect(handler.name)

    def do_refuse_signal(self, text: str) -> None:
        _, _, which = text.partition(" ")
        errors: list[str | None] = []

        def add() -> None:
            named = which if which.startswith("SIG") else "SIGUSR1"
            wanted: int = int(which) if which.lstrip("-").isdecimal() else getattr(signal, named)
            method = "add_signal_handler"
            errors.append(self._error_of(method, lambda loop: loop.add_signal_handler(wanted, int))[0])

        if which == "in a thread":
            thread = threading.Thread(target=add)
            thread.start()
            thread.join()
        else:
            add()
        self.note("signal-refused", text, error=errors[0])

    def restore_dispositions(self) -> None:
        """After the loop is closed: a loop may leave its handlers behind."""
        for timer in self._presses:
            timer.cancel()
            if timer.ident is not None:
                timer.join()
        for number, disposition in self._dispositions.items():
            signal.signal(number, disposition)

    # -- Ctrl-C ------------------------------------------------------------------------------------------

    def do_press(self, text: str, ms: float) -> None:
        """From here on SIGINT is what Python makes of it: KeyboardInterrupt in the main thread."""
        self._dispositions.setdefault(signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.expect(_CTRL_C, ms / 1000)
        timer = threading.Timer(ms / 1000, self._press, [text])
        self._presses.append(timer)
        self.loop.call_soon(timer.start)

    def _press(self, text: str) -> None:
        with self.sending:
            if not self._inside_run:
                return
            self.note("pressed", text)
            if text == "thread":
                self._interrupt_main()
            else:
                _interrupt_from_a_child()
            self.met(_CTRL_C)

    def _interrupt_main(self) -> None:
        # Sent to the process, it might end another thread's wait, and the loop's would go on.
        signal.pthread_kill(self._main, signal.SIGINT)

    def do_runner(self, label: str, body: Program, ms: float) -> None:
        """The actions of the body are about the runner's loop while it runs."""
        own = self.loop
        interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
        # Nothing may stop this run: it ends when its main coroutine does.
        self._closing = self._inside_run = True
        try:
            with asyncio.Runner(loop_factory=self.make_loop) as runner:
                self.loop = runner.get_loop()
                self._run_to_the_end(runner, label, body, ms)
        except BaseException as caught:
            self.note("runner-closed", label, error=f"{type(caught).__name__}: {caught}")
        self._main_goes_on = self._closing = self._inside_run = False
        self._expected.clear()
        self.loop = own
        signal.signal(signal.SIGINT, interrupt)

    def _run_to_the_end(self, runner: asyncio.Runner, label: str, body: Program, ms: float) -> None:
        error = None
        try:
            runner.run(self._work(label, body, ms))
        except BaseException as caught:  # KeyboardInterrupt is what a runner ends with, to be judged
            error = f"{type(caught).__name__}: {caught}"
        self.note("runner-returned", label, error=error)

    async def _work(self, label: str, body: Program, ms: float) -> None:
        self.note("main-started", label)
        self._main_goes_on = True
        try:
            self.perform(body)
            await asyncio.sleep(ms / 1000)
        except asyncio.CancelledError:
            self.note("main-cancelled", label)
            raise
        finally:
            with self.sending:
                self._main_goes_on = False
            await asyncio.sleep(0)
            self.note("main-cleaned", label)

    def do_interrupt(self) -> None:
        with self.sending:
            if self._main_goes_on:
                self.note("interrupted")
                self._interrupt_main()


def _interrupt_from_a_child() -> None:
    """A child that has nothing else to do sends SIGINT to this process."""
    pressed = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.kill(pressed, signal.SIGINT)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
