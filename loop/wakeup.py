"""Waking a loop that is blocked in its selector, from threads, signal handlers and finalisers.

The loop sets ``armed`` before it takes its last look at the ready queue and blocks; whoever queues a
callback appends first and looks at ``armed`` afterwards. Each side writes before it reads, so at
least one sees the other: either the loop finds the callback and does not block, or the other finds
``armed`` and sends a byte. Whoever finds it takes it down, so a thousand callbacks cost one byte, and
a busy loop costs its threads no system call at all.

A byte sent although the loop had already woken only makes the next wait return at once.

A forked child has the same two sockets as its parent: it would wake the parent, and swallow the bytes
that were to wake it. So the child puts a pair of its own under the same numbers, at once, and
takes the pair out of ``signal.set_wakeup_fd``, where a loop that it runs shall find room for its own.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from weakref import WeakSet

try:
    # A waker serves the loop of gevent, too, which must not be asked for gevent's sockets to be made of.
    from _socket import socketpair
except ImportError:  # Windows
    from socket import socketpair


class Waker:
    """A non-blocking, close-on-exec socket pair; a socket because select() on Windows takes nothing else."""

    __slots__ = ("__weakref__", "_receiver", "_send", "_sender", "armed")

    def __init__(self) -> None:
        self._receiver, self._sender = socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._send = self._sender.send
        self.armed = False
        _open_wakers.add(self)

    def fileno(self) -> int:
        """The descriptor that becomes readable."""
        return self._receiver.fileno()

    def signal_fileno(self) -> int:
        """The descriptor for ``signal.set_wakeup_fd``."""
        return self._sender.fileno()

    def wake(self) -> None:
        """Make a loop that blocks, or is about to, look at its queue. Any thread, any signal handler.

        OSError if the waker was closed meanwhile.
        """
        if not self.armed:
            return
        self.armed = False
        try:
            self._send(b"\0")
        except BlockingIOError:
            pass  # the pipe is full of bytes, any of which wakes the loop
        except BaseException:
            self.armed = True  # KeyboardInterrupt on the way: the next one must not trust a byte never sent
            raise

    def drain(self) -> None:
        """Swallow the bytes that have come."""
        with suppress(BlockingIOError):
            self._receiver.recv(4096)

    def listen_to_signals(self) -> int | None:
        """Let C-level signal handlers wake us; the descriptor to restore, or None if it is not ours to set.

        Without it a signal that arrives between the interpreter's last look and the system call leaves the
        loop waiting.
        """
        if threading.current_thread() is not threading.main_thread():
            return None
        try:
            former = signal.set_wakeup_fd(self.signal_fileno(), warn_on_full_buffer=False)
        except ValueError:  # not the main thread of the main interpreter
            return None
        if former != -1:
            signal.set_wakeup_fd(former)  # somebody else counts on it
            return None
        return former

    def close(self) -> None:
        """Free both sockets."""
        self.armed = False
        _open_wakers.discard(self)
        self._receiver.close()
        self._sender.close()

    def _part_from_parent(self) -> None:
        self.armed = False
        with suppress(ValueError):  # not the main interpreter, where nobody could have set it
            former = signal.set_wakeup_fd(-1)
            if former not in (-1, self.signal_fileno()):
                signal.set_wakeup_fd(former)
        receiver, sender = socketpair()
        for ours, theirs in ((receiver, self._receiver), (sender, self._sender)):
            ours.setblocking(False)
            # A selector that knows the number need not be told.
            os.dup2(ours.fileno(), theirs.fileno(), inheritable=False)
            ours.close()


_open_wakers: WeakSet[Waker] = WeakSet()


def _after_fork_in_child() -> None:
    for waker in list(_open_wakers):
        waker._part_from_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
