"""A selector that watches how it is used: MUXLOOP_DEBUG_SELECTOR=1.

It goes around any selector, ours or another's, and changes nothing of what a program does:

- What the selector refuses, it refuses with the very same error, which gains a note (PEP 678) that names
  the place where the file was registered or unregistered, or the selector closed.
- What the selector lets pass and ought not to is a warning of the logger ``muxloop.selector``, once for
  each place or registration: files closed while registered, use by two threads at once, use after close or
  in a forked child, registrations left at close; and answers of the selector that nobody asked for.

About threads the rule is: whoever waits in ``select`` owns the selector until it returns. A selector may
be made in one thread and run in another, one after the other; only what another thread does *during* a
wait is blamed. ``get_key`` and ``get_map`` change nothing and are let pass.

What it costs: an fstat(2) for each registration at every wait. ``docs/debugging-selectors.md`` shows the
reports and what to do about each.
"""

from __future__ import annotations

import logging
import os
import reprlib
import selectors
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import TYPE_CHECKING, Any

from .environment import is_switched_on
from .identity import Identity, identify, is_open
from .interface import Selector
from .places import place_of_call

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

VARIABLE = "MUXLOOP_DEBUG_SELECTOR"

_logger = logging.getLogger("muxloop.selector")
_DIRECTIONS = {
    EVENT_READ: "reading",
    EVENT_WRITE: "writing",
    EVENT_READ | EVENT_WRITE: "reading and writing",
}
_MOST_LEAKS_LISTED = 20

_abridged = reprlib.Repr()
_abridged.maxother = _abridged.maxstring = 200


def is_validating() -> bool:
    """Whether MUXLOOP_DEBUG_SELECTOR is on. UsageError for a value other than 1, 0 and nothing."""
    return is_switched_on(VARIABLE)


def validated(selector: selectors.BaseSelector) -> selectors.BaseSelector:
    """*selector*, with a validator around it if MUXLOOP_DEBUG_SELECTOR is on. Errors as ``is_validating``."""
    if not is_validating() or isinstance(selector, ValidatingSelector):
        return selector
    return ValidatingSelector(selector)


@dataclass(slots=True)
class _Registration:
    place: str
    identity: Identity | None
    reported: bool = False


class ValidatingSelector(selectors.BaseSelector):
    """Passes every call on to another selector, and tells of misuse; see the module's text.

    What it does not have itself (``take_dropped``, ``resolution``, ``fileno`` ...) is the other's.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._registrations: dict[int, _Registration] = {}
        self._unregistered: dict[int, str] = {}  # where each number was given up last
        self._closed_at: str | None = None
        self._waiting: int | None = None  # the thread that is in select()
        self._changes = 0
        self._told: set[tuple[str, str]] = set()
        self._process = os.getpid()
        self._shared = False  # with the process that this one was forked from
        for fd in list(self._keys()):
            self._registrations[fd] = _Registration("a place unknown: before it was watched", identify(fd))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} around {self._selector!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "_selector":  # not there yet, or no more
            raise AttributeError(name)
        return getattr(self._selector, name)

    def renew(self, make: Callable[[selectors.BaseSelector], selectors.BaseSelector | None]) -> bool:
        """Go on around ``make(selector)``, which has the same registrations; false when it makes none."""
        fresh = make(self._selector)
        if fresh is None:
            return False
        self._selector = fresh
        return True

    @property
    def name(self) -> str:
        """What the selector calls itself, or else its class."""
        return str(getattr(self._selector, "name", type(self._selector).__name__))

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        """As ``Selector.register``; a file that is registered already is told with the place."""
        self._enter("register")
        try:
            key = self._selector.register(fileobj, events, data)
        except Exception as error:
            self._explain(error, fileobj)
            raise
        self._judge_acceptance("register", events=events)
        if not is_open(key.fd):
            self._warn("register", f"took {key.fd}, which is no open file")
        self._registrations[key.fd] = _Registration(place_of_call(), identify(key.fd))
        self._unregistered.pop(key.fd, None)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> SelectorKey:
        """As ``Selector.unregister``; an unknown file is told with the place where it was given up."""
        self._enter("unregister")
        try:
            key = self._selector.unregister(fileobj)
        except Exception as error:
            self._explain(error, fileobj)
            raise
        self._judge_acceptance("unregister")
        registration = self._registrations.pop(key.fd, None)
        if registration is not None:
            self._judge_file("unregister", key, registration)
        self._unregistered[key.fd] = place_of_call()
        return key

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        """As ``Selector.modify``; an unknown file is told with the place where it was given up."""
        self._enter("modify")
        before = self._key(self._number(fileobj))
        try:
            key = self._selector.modify(fileobj, events, data)
        except Exception as error:
            self._explain(error, fileobj)
            raise
        self._judge_acceptance("modify", events=events)
        registration = self._registrations.get(key.fd)
        if registration is not None:
            self._judge_file("modify", before or key, registration)
        # Whatever it was, this file is the one that is meant now.
        place = registration.place if registration is not None else place_of_call()
        self._registrations[key.fd] = _Registration(place, identify(key.fd))
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """As ``Selector.select``; looks for lost files before the wait, and at the answer after it."""
        self._enter("select")
        if self._waiting is not None:
            return self._selector.select(timeout)  # blamed; what it answers would confuse the outer wait
        self._judge_files("select")
        changes = self._changes
        self._waiting = threading.get_ident()
        try:
            ready = self._selector.select(timeout)
        except Exception as error:
            self._explain(error)
            raise
        finally:
            self._waiting = None
        self._judge_acceptance("select", timeout=timeout)
        if changes == self._changes:
            self._judge_answer(ready)
        return ready

    def close(self) -> None:
        """As ``Selector.close``; lists what is still registered, with the places."""
        self._enter("close")
        if self._closed_at is None:
            if not self._shared:  # a child that lets go of its parent's leaves all registered, and should
                self._judge_leaks()
            self._closed_at = place_of_call()
        self._selector.close()

    def get_key(self, fileobj: FileDescriptorLike) -> SelectorKey:
        """As ``Selector.get_key``; an unknown file is told with the place where it was given up."""
        try:
            return self._selector.get_key(fileobj)
        except Exception as error:
            self._explain(error, fileobj)
            raise

    def get_map(self) -> Mapping[FileDescriptorLike, SelectorKey]:
        """As ``Selector.get_map``."""
        try:
            return self._selector.get_map()
        except Exception as error:
            self._explain(error)
            raise

    # What was known before the call.

    def _enter(self, call: str) -> None:
        """Judge who calls: another thread during a wait, or a process that only inherited the selector."""
        self._changes += 1
        process = os.getpid()
        if process != self._process:
            self._process, self._shared, self._waiting = process, True, None
            # What was replaced as the process forked, a waker for instance, was replaced on purpose.
            for fd, registration in self._registrations.items():
                registration.identity = identify(fd)
        # Ours start anew in the child by themselves; poll and select have nothing that could be shared.
        if self._shared and call != "close" and hasattr(self._selector, "fileno") and not self._is_ours():
            self._warn(
                call,
                "called in a process forked from the one that opened the selector: they share the kernel's "
                "object, and the other will miss events; open a new selector after a fork",
            )
        waiting = self._waiting
        if waiting is None:
            return
        if waiting != threading.get_ident():
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            self._warn(
                call,
                f"called in thread {threading.current_thread().name!r} while {names.get(waiting)!r} waits in "
                "select: selectors are not thread-safe; use loop.call_soon_threadsafe, or wake that thread",
            )
        elif call == "select":
            self._warn(call, "called from within select: a wait does not nest")

    def _is_ours(self) -> bool:
        return isinstance(self._selector, Selector)

    def _keys(self) -> Mapping[Any, SelectorKey]:
        try:
            return self._selector.get_map() or {}
        except RuntimeError:  # closed: ours raise, the standard library's have none
            return {}

    def _key(self, fd: int) -> SelectorKey | None:
        return self._keys().get(fd) if fd >= 0 else None

    def _number(self, fileobj: object) -> int:
        """The number under which a file was registered; -1 for what is no file."""
        if isinstance(fileobj, int):
            return fileobj
        try:
            fd = int(fileobj.fileno())  # type: ignore[attr-defined]
        except (AttributeError, TypeError, ValueError, OSError):
            fd = -1
        if fd < 0:
            return next((key.fd for key in self._keys().values() if key.fileobj is fileobj), -1)
        return fd

    # What is said.

    def _explain(self, error: Exception, fileobj: object = None) -> None:
        """Add to the selector's own error what the validator remembers."""
        if self._closed_at is not None:
            error.add_note(f"The selector was closed at {self._closed_at}.")
            return
        fd = self._number(fileobj)
        registration, key = self._registrations.get(fd), self._key(fd)
        if registration is not None and key is not None:
            error.add_note(f"Descriptor {fd} was {_told(key, registration)}.")
            if identify(fd) != registration.identity:
                error.add_note("That file was closed since: unregister a file before closing it.")
        elif fd in self._unregistered:
            error.add_note(f"Descriptor {fd} was unregistered at {self._unregistered[fd]}.")

    def _warn(self, call: str, what: str, *, once: bool = True) -> None:
        place = place_of_call()
        if once:
            if (what, place) in self._told:
                return
            self._told.add((what, place))
        _logger.warning("%s.%s: %s; noticed at %s", self.name, call, what, place)

    def _judge_acceptance(self, call: str, *, events: object = EVENT_READ, timeout: object = None) -> None:
        """Tell what the selector let pass and ought to have refused."""
        if self._closed_at is not None:
            self._warn(call, f"let pass after close; closed at {self._closed_at}")
        if isinstance(events, bool) or not isinstance(events, int) or events not in _DIRECTIONS:
            self._warn(call, f"took events={events!r}; write EVENT_READ, EVENT_WRITE, or both with |")
        if timeout is not None and (not isinstance(timeout, int | float) or timeout != timeout):
            self._warn(call, f"took the timeout {_abridged.repr(timeout)}; give seconds, or None")

    def _judge_files(self, call: str) -> None:
        for fd, registration in list(self._registrations.items()):
            key = self._key(fd)
            if key is None:  # the selector dropped it, see `take_dropped`
                self._registrations.pop(fd, None)
            else:
                self._judge_file(call, key, registration)

    def _judge_file(self, call: str, key: SelectorKey, registration: _Registration) -> None:
        """Tell, once, of a file that is not the one which was registered."""
        if registration.reported or registration.identity is None:
            return
        now = identify(key.fd)
        if now != registration.identity:
            registration.reported = True
            became = "has become another file's" if is_open(key.fd) else "was closed"
            self._warn(
                call,
                f"descriptor {key.fd} {became} while it was {_told(key, registration)}; "
                "unregister a file before closing it",
                once=False,
            )

    def _judge_answer(self, ready: object) -> None:
        """Tell what select() should not have answered."""
        seen: set[int] = set()
        try:
            for key, mask in ready:  # type: ignore[attr-defined]
                registered = self._key(key.fd)
                if registered is None:
                    self._warn("select", f"reported descriptor {key.fd}, which is not registered")
                elif key.data is not registered.data:
                    self._warn(
                        "select", f"reported descriptor {key.fd} with the data of an earlier registration"
                    )
                elif not mask or mask & ~registered.events:
                    self._warn(
                        "select",
                        f"reported descriptor {key.fd} for events={mask}, registered for {registered.events}",
                    )
                if key.fd in seen:
                    self._warn("select", f"reported descriptor {key.fd} twice")
                seen.add(key.fd)
        except (TypeError, ValueError, AttributeError):
            self._warn("select", f"returned {_abridged.repr(ready)}, not a list of (key, events)")

    def _judge_leaks(self) -> None:
        self._judge_files("close")
        left = [
            f"{fd}, {_told(key, registration)}"
            for fd, registration in self._registrations.items()
            if not registration.reported and (key := self._key(fd)) is not None
        ]
        if not left:
            return
        more = f"; and {len(left) - _MOST_LEAKS_LISTED} more" if len(left) > _MOST_LEAKS_LISTED else ""
        listed = "; ".join(left[:_MOST_LEAKS_LISTED])
        self._warn("close", f"still registered: descriptor {listed}{more}", once=False)


def _told(key: SelectorKey, registration: _Registration) -> str:
    direction = _DIRECTIONS.get(key.events, f"events={key.events!r}")
    return f"registered at {registration.place} for {direction}, data {_abridged.repr(key.data)}"
