"""What all of gevent's watchers have in common, and those that wait for no more than a turn of the loop.

A watcher has two independent states. *Active*: the loop watches for its event; it is counted in the loop's
``activecnt`` if it is a reference. *Pending*: the event has come, and its callback waits in the queue of
its priority. A one-shot timer that fired is pending and no longer active. ``stop()`` ends both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loop import Loop

READ = 1
WRITE = 2
FIRED = 0x100
"""What came, where a watcher has but one event; libev's number for that of a timer."""

MINPRI, MAXPRI = -2, 2


class Watcher:
    """Calls its callback when the loop notices its event. Not safe for threads, ``Async.send`` aside.

    Source: ``gevent._interfaces.IWatcher``.
    """

    __slots__ = (
        "__weakref__",
        "_args",
        "_callback",
        "_priority",
        "_queue",
        "_ref",
        "active",
        "loop",
        "revents",
    )

    passes_events = False
    """Whether the callback's first argument is what came; an option of ``Io.start``."""

    def __init__(self, loop: Loop, ref: bool = True, priority: int | None = None) -> None:
        self.loop = loop
        self._ref = ref
        self._callback: Callable[..., object] | None = None
        self._args: tuple[Any, ...] | None = None
        self.active = False
        self.revents = 0  # what came and was not handed on yet
        self._queue: deque[Watcher] = loop._queue_of(0 if priority is None else priority)
        self._priority = 0 if priority is None else priority

    # What a kind of watcher writes.

    def _arm(self) -> None:
        """Have the loop watch. Whatever is raised, nothing is watched."""
        raise NotImplementedError

    def _disarm(self) -> None:
        """Undo ``_arm``; must not fail."""
        raise NotImplementedError

    # What gevent uses.

    def start(self, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` when the event comes; started once more, only these change.

        TypeError if it is not callable.
        """
        self.callback = _callable(callback)
        self._args = args
        if not self.active:
            self._activate()

    def stop(self) -> None:
        """Watch no longer, and let go of the callback. An event that waits for its turn is dropped."""
        self._callback = self._args = None
        self.revents = 0
        if self.active:
            self._deactivate()

    def close(self) -> None:
        """Stop, and free what the watcher holds."""
        self.stop()

    def feed(self, revents: int, callback: Callable[..., object], *args: Any) -> None:
        """Make the event come now, watched or not."""
        self.callback = _callable(callback)
        self._args = args
        self.loop._feed(self, revents)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def callback(self) -> Callable[..., object] | None:
        """What is called; None while stopped. TypeError if what is set is not callable."""
        return self._callback

    @callback.setter
    def callback(self, callback: Callable[..., object] | None) -> None:
        self._callback = None if callback is None else _callable(callback)

    @property
    def args(self) -> tuple[Any, ...] | None:
        """What the callback is called with. TypeError if what is set is neither a tuple nor None."""
        return self._args

    @args.setter
    def args(self, args: tuple[Any, ...] | None) -> None:
        if args is not None and not isinstance(args, tuple):
            raise TypeError(f"the arguments of a watcher must be a tuple or None, got {args!r}")
        self._args = args

    @property
    def pending(self) -> bool:
        """Whether the event has come and the callback was not called yet."""
        return self.revents != 0

    @property
    def ref(self) -> bool:
        """Whether the loop goes on while this watcher is active."""
        return self._ref

    @ref.setter
    def ref(self, ref: bool) -> None:
        if self.active and bool(ref) != self._ref:
            self.loop._refs += 1 if ref else -1
        self._ref = bool(ref)

    @property
    def priority(self) -> int:
        """From -2 to 2, the most urgent. AttributeError if it is set while the watcher is active."""
        return self._priority

    @priority.setter
    def priority(self, priority: int) -> None:
        self._require_inactive("priority")
        self._queue = self.loop._queue_of(priority)
        self._priority = priority

    def __repr__(self) -> str:
        parts = [f"{type(self).__name__} at {id(self):#x}{self._format()}"]
        parts += [state for state in ("active", "pending") if getattr(self, state)]
        if self._callback is not None:
            # The name alone: the callback's own description may come back to this watcher.
            parts.append(f"callback={getattr(self._callback, '__qualname__', type(self._callback).__name__)}")
        parts.append(f"ref={self._ref}")
        return f"<{' '.join(parts)}>"

    def _format(self) -> str:
        return ""

    def _activate(self) -> None:
        self._arm()
        self.active = True
        loop = self.loop
        if self._ref:
            loop._refs += 1
        if loop._waker.armed:  # a signal handler during the wait
            loop._waker.wake()

    def _deactivate(self) -> None:
        self.active = False
        if self._ref:
            self.loop._refs -= 1
        self._disarm()

    def _require_inactive(self, attribute: str) -> None:
        if self.active:
            raise AttributeError(f"{attribute} of {self!r} cannot be set while it is active: stop() it first")


class TurnWatcher(Watcher):
    """Fires in every turn of the loop; the list it stands in says at which moment of the turn."""

    __slots__ = ()

    moment: str
    """The name of that list among ``Loop._turns``."""

    def _arm(self) -> None:
        self.loop._turns[self.moment].append(self)

    def _disarm(self) -> None:
        self.loop._turns[self.moment].remove(self)


class Idle(TurnWatcher):
    """Fires when nothing of its priority or a higher one is pending; keeps the loop from waiting."""

    __slots__ = ()
    moment = "idle"


class Prepare(TurnWatcher):
    """Fires before the loop waits."""

    __slots__ = ()
    moment = "prepare"


class Check(TurnWatcher):
    """Fires after the loop has waited."""

    __slots__ = ()
    moment = "check"


class Fork(TurnWatcher):
    """Fires in a forked child, at the beginning of the loop's next turn."""

    __slots__ = ()
    moment = "fork"


class Async(Watcher):
    """Fires when ``send()`` was called, by any thread or signal handler."""

    __slots__ = ("sent",)

    def __init__(self, loop: Loop, ref: bool = True, priority: int | None = None) -> None:
        super().__init__(loop, ref, priority)
        self.sent = False

    def send(self) -> None:
        """Have the callback called in the loop; several calls may become one."""
        if not self.sent:
            self.sent = True
            self.loop._send(self)

    def send_ignoring_arg(self, _ignored: object) -> None:
        """As ``send``, for what calls with an argument, such as ``rawlink``."""
        self.send()

    @property
    def pending(self) -> bool:
        """Whether ``send()`` was called and the callback was not yet."""
        return self.sent or self.revents != 0

    def _arm(self) -> None:
        pass

    def _disarm(self) -> None:
        pass


def _callable(callback: Callable[..., object]) -> Callable[..., object]:
    if not callable(callback):
        raise TypeError(f"a watcher needs something to call, got {callback!r}")
    return callback
