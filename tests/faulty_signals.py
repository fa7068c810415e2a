"""Faults in the handling of signals (rules SIG)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

from faulty_base import FaultBed, SteppedLoop

SIGNAL_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


class TruthfulLoop(SteppedLoop):
    """Raises ValueError for signals that cannot be caught, as the documentation says and CPython does not."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        if sig in (signal.SIGKILL, signal.SIGSTOP):
            raise ValueError(f"signal {sig} cannot be caught")
        super().add_signal_handler(sig, callback, *args)


@SIGNAL_FAULTS.plant
class SignalHandlerCutsIn(SteppedLoop):
    """invented: the handler of a signal is called where the signal finds the thread, not by the loop.
    Breaks SIG-01."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        super().add_signal_handler(sig, callback, *args)
        signal.signal(sig, lambda *_: callback(*args))

    def _handle_signal(self, sig: int) -> None:
        pass


@SIGNAL_FAULTS.plant
class SignalWakesNobody(SteppedLoop):
    """invented: a signal queues its handler and leaves the loop asleep. Breaks SIG-01."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        super().add_signal_handler(sig, callback, *args)
        signal.signal(sig, lambda *_: self._handle_signal_later(sig))
        signal.set_wakeup_fd(-1)

    def _handle_signal_later(self, sig: int) -> None:
        handle = self._signal_handlers.get(sig)
        if handle is not None:
            self._ready.append(handle)


@SIGNAL_FAULTS.plant
class SignalHeardTwice(SteppedLoop):
    """invented: the handler of a signal runs twice for one delivery. Breaks SIG-01."""

    def _handle_signal(self, sig: int) -> None:
        super()._handle_signal(sig)
        super()._handle_signal(sig)


@SIGNAL_FAULTS.plant
class FirstSignalHandlerStays(SteppedLoop):
    """invented: a second handler of the same signal is taken without a word and never called. Breaks
    SIG-01."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        if sig not in self._signal_handlers:
            super().add_signal_handler(sig, callback, *args)


@SIGNAL_FAULTS.plant
class RemovalDeafensTheOthers(SteppedLoop):
    """invented: removing one handler of a signal turns the wake-up file off for all others. Breaks SIG-01."""

    def remove_signal_handler(self, sig: int) -> bool:
        removed = super().remove_signal_handler(sig)
        signal.set_wakeup_fd(-1)
        return removed


@SIGNAL_FAULTS.plant
class UncatchableAccepted(TruthfulLoop):
    """invented: a handler of SIGKILL is taken without a word. Breaks SIG-02."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        if sig not in (signal.SIGKILL, signal.SIGSTOP):
            super().add_signal_handler(sig, callback, *args)


@SIGNAL_FAULTS.plant
class SignalRemovalSaysNothing(TruthfulLoop):
    """invented: remove_signal_handler returns None whether or not there was one. Breaks SIG-02."""

    def remove_signal_handler(self, sig: int) -> None:
        super().remove_signal_handler(sig)


@SIGNAL_FAULTS.plant
class SignalBeforeRunLost(SteppedLoop):
    """seen in uvloop 0.23: a signal that comes while the loop does not run is forgotten. Breaks SIG-03."""

    def run_forever(self) -> None:
        try:
            while self._ssock.recv(4096):
                pass
        except BlockingIOError:
            pass
        super().run_forever()


@SIGNAL_FAULTS.plant
class CtrlCSwallowedByWait(SteppedLoop):
    """34 gevent 790: a Ctrl-C that comes while the loop waits is swallowed. Breaks SIG-04."""

    def _poll(self, timeout_s: float | None) -> Any:
        former = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return super()._poll(timeout_s)
        finally:
            signal.signal(signal.SIGINT, former)


@SIGNAL_FAULTS.plant
class CtrlCLeavesAtOnce(SteppedLoop):
    """invented: Ctrl-C is raised inside the loop, before the main task could clean up. Breaks SIG-04."""

    def run_forever(self) -> None:
        former = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            super().run_forever()
        finally:
            signal.signal(signal.SIGINT, former)


@SIGNAL_FAULTS.plant
class CtrlCEndsTheWaitAlone(SteppedLoop):
    """34 gevent 790, where nobody handles it: KeyboardInterrupt out of the wait counts as nothing ready.
    Breaks SIG-08."""

    def _poll(self, timeout_s: float | None) -> Any:
        try:
            return super()._poll(timeout_s)
        except KeyboardInterrupt:
            return []


class CountsQuietTurns(SteppedLoop):
    """Knows for how many turns no signal came; sound as it stands."""

    quiet_turns = 0

    def _run_once(self) -> None:
        self.quiet_turns += 1
        super()._run_once()

    def _handle_signal(self, sig: int) -> None:
        self.quiet_turns = 0
        super()._handle_signal(sig)

    @property
    def stormy(self) -> bool:
        return self.quiet_turns < 4


@SIGNAL_FAULTS.plant
class SignalsStarveTimers(CountsQuietTurns):
    """invented: due timers wait until some turns go by without a signal. Breaks SIG-05."""

    def _queue_due(self) -> None:
        if not self.stormy:
            super()._queue_due()


@SIGNAL_FAULTS.plant
class SignalsStarveReaders(CountsQuietTurns):
    """invented: readers wait until some turns go by without a signal. Breaks SIG-05."""

    def _process_events(self, event_list: list[Any]) -> None:
        of_signals = [event for event in event_list if event[0].fd == self._ssock.fileno()]
        super()._process_events(of_signals if self.stormy else event_list)


@SIGNAL_FAULTS.plant
class SignalByteRefused(SteppedLoop):
    """19 gh-156054: a signal is a byte in the self-pipe, as in CPython, and lost when the pipe is full.
    Breaks SIG-06."""


def send(name: str) -> None:
    """Send that signal to this process."""
    os.kill(os.getpid(), getattr(signal, name))


@SIGNAL_FAULTS.plant
class ReplacingForgetsTheSignal(SteppedLoop):
    """invented: what came for the former handler of a signal is thrown away when it is replaced. Breaks
    SIG-07."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        if sig in self._signal_handlers:
            with contextlib.suppress(BlockingIOError):
                self._ssock.recv(4096)
        super().add_signal_handler(sig, callback, *args)
