"""A kernel that fails when told to: it stands between a backend and its system calls, and counts them.

    kernel = FailingKernel(EpollSelector.kernel)
    class Failing(EpollSelector): kernel = kernel
    kernel.fail(errno.ENOMEM, calls={"epoll.register"}, about=fd)

A fault is raised instead of the call, which then has no effect; a change of a kqueue filter gets it as its
receipt, as kevent(2) has it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

# Calls that return an object with calls of its own.
_MAKERS = {"epoll", "kqueue", "poll"}

# What is not a system call.
_PLAIN = {"kevent"}


class Fault:
    """One errno, and what it is given to."""

    def __init__(
        self, number: int, calls: Collection[str] | None, about: int | None, times: int | None
    ) -> None:
        self.number = number
        self.calls = calls
        self.about = about
        self.left = times
        self.struck = 0

    def strikes(self, call: str, arguments: tuple[object, ...]) -> bool:
        """Whether this call fails; counts it."""
        if self.calls is not None and call not in self.calls:
            return False
        if self.left == 0 or (self.about is not None and self.about not in _numbers(arguments)):
            return False
        if self.left is not None:
            self.left -= 1
        self.struck += 1
        return True

    def error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))


class FailingKernel:
    """The calls of *real*, each of which fails while a fault strikes it."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.calls: Counter[str] = Counter()
        self._fault: Fault | None = None

    @contextmanager
    def failing(
        self,
        number: int,
        *,
        calls: Collection[str] | None = None,
        about: int | None = None,
        times: int | None = None,
    ) -> Iterator[Fault]:
        """While this lasts, *calls* (all, if None) fail with errno *number*: those about the file *about*,
        if it is given, and only the first *times* of them, if that is given."""
        self._fault = Fault(number, calls, about, times)
        try:
            yield self._fault
        finally:
            self._fault = None

    @property
    def has_failed(self) -> bool:
        """Whether the fault that is in force has met a call."""
        return self._fault is not None and self._fault.struck > 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name in _PLAIN or not callable(real):
            return real

        def call(*arguments: Any) -> Any:
            fault = self.struck(name, arguments)
            if fault is not None:
                raise fault.error()
            made = real(*arguments)
            return _FailingObject(self, name, made) if name in _MAKERS else made

        return call

    def struck(self, call: str, arguments: tuple[object, ...]) -> Fault | None:
        """Count a call; the fault that it meets, if there is one."""
        self.calls[call] += 1
        fault = self._fault
        return fault if fault is not None and fault.strikes(call, arguments) else None


class _FailingObject:
    """An epoll set, a queue or a poll object, whose methods fail as their kernel does."""

    def __init__(self, kernel: FailingKernel, name: str, real: Any) -> None:
        self._kernel = kernel
        self._name = name
        self._real = real
        self.close = getattr(real, "close", None)
        self.fileno = getattr(real, "fileno", None)

    def __enter__(self) -> _FailingObject:
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        # Those of a poll object change a dictionary of Python's.
        if self._name == "poll" and name != "poll":
            return real

        def call(*arguments: Any) -> Any:
            fault = self._kernel.struck(f"{self._name}.{name}", arguments)
            if fault is None:
                return real(*arguments)
            if name == "control" and arguments[0]:
                return [_receipt(change, fault.number) for change in arguments[0]]
            raise fault.error()

        return call


def _receipt(change: Any, number: int) -> Any:
    import kqueue_emulation  # runs on Linux alone, and other kernels fail everywhere

    return kqueue_emulation.kevent(change.ident, change.filter, kqueue_emulation.KQ_EV_ERROR, 0, number)


def _numbers(arguments: tuple[object, ...]) -> set[object]:
    """The files that a call is about: its first argument, or those listed in any."""
    found: set[object] = {each for each in arguments[:1] if isinstance(each, int)}
    for argument in arguments:
        if isinstance(argument, list | tuple | set):
            found.update(getattr(each, "ident", each) for each in argument)
    return found
