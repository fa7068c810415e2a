"""Actions on a selector, each result noted beside what a model of the sockets says.

The model is the kernel itself, asked about one socket at a time without a selector's help: ``poll(2)`` (or
``select(2)`` where that is missing) with a timeout of zero says what is ready now. Between that question and
the selector's answer nothing else happens, so the two must agree.
"""

from __future__ import annotations

import select
import selectors
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .sockets import Pairs

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_LETTERS = {"r": READ, "w": WRITE, "rw": READ | WRITE}


class SelectorPlayer(Pairs):
    """register, modify, unregister, select, map and the refusals."""

    def __init__(self, make_selector: Callable[[], selectors.BaseSelector], tolerance: float = 1.0) -> None:
        super().__init__(tolerance)
        self.selector = make_selector()
        self._wanted: dict[int, int] = {}
        self._data: dict[int, str] = {}
        self._abandoned: set[int] = set()
        self._many: list[tuple[socket.socket, socket.socket]] = []
        self._many_seen: set[int] = set()
        self._threads: list[threading.Thread] = []
        self._old_handler: Any = None

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(5)
        if self._old_handler is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old_handler)
        self.selector.close()
        self.close_pairs()
        for ours, peer in self._many:
            ours.close()
            peer.close()

    # -- the map -----------------------------------------------------------------------------------------

    def do_register(self, pair: int, text: str) -> None:
        data = f"data {len(self.events)}"
        if self._change(
            "register", pair, lambda: self.selector.register(self.pair(pair).ours, _LETTERS[text], data)
        ):
            self._wanted[pair], self._data[pair] = _LETTERS[text], data

    def do_modify(self, pair: int, text: str) -> None:
        data = f"data {len(self.events)}"
        if self._change(
            "modify", pair, lambda: self.selector.modify(self.pair(pair).ours, _LETTERS[text], data)
        ):
            self._wanted[pair], self._data[pair] = _LETTERS[text], data

    def do_unregister(self, pair: int) -> None:
        if self._change("unregister", pair, lambda: self.selector.unregister(self.pair(pair).ours)):
            del self._wanted[pair]

    def do_forget(self, pair: int) -> None:
        if self._change("forget", pair, lambda: self.selector.unregister(self.pair(pair).number)):
            self._wanted.pop(pair, None)

    def _change(self, what: str, pair: int, call: Callable[[], object]) -> bool:
        known = pair in self._wanted
        error = None
        try:
            call()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("changed", what, pair=pair, error=error, known=known, abandoned=pair in self._abandoned)
        return error is None

    def do_abandon(self, pair: int, text: str = "") -> None:
        self.pair(pair)
        if pair not in self._abandoned:
            super().do_abandon(pair, text)
            self._abandoned.add(pair)

    def do_reuse(self, pair: int) -> None:
        if pair in self._abandoned:
            super().do_reuse(pair)
            self._abandoned.discard(pair)

    def do_map(self) -> None:
        """Compare get_map and get_key with what was registered."""
        problems = []
        mapping = self.selector.get_map()
        if not isinstance(mapping, Mapping):
            problems.append(f"get_map() is a {type(mapping).__name__}, no Mapping")
        if hasattr(mapping, "__setitem__"):
            problems.append("get_map() can be written to")
        if len(mapping) != len(self._wanted) + len(self._many):
            problems.append(f"{len(mapping)} keys, {len(self._wanted) + len(self._many)} registrations")
        for pair, events in self._wanted.items():
            if pair in self._abandoned:
                continue
            ours = self.pair(pair).ours
            try:
                key = self.selector.get_key(ours)
            except Exception as error:
                problems.append(f"get_key of a registered socket: {type(error).__name__}: {error}")
                continue
            if tuple(key) != (ours, ours.fileno(), events, self._data[pair]):
                problems.append(
                    f"the key is {tuple(key)[1:]}, registered was {(ours.fileno(), events, self._data[pair])}"
                )
            if mapping.get(ours) != key or ours not in mapping:
                problems.append("get_map()[socket] is not get_key(socket)")
        self.note("mapped", problems=problems)

    def do_refuse(self, text: str) -> None:
        """Make one call that must be refused; note the error and whether the map stayed as it was."""
        a, b = socket.socketpair()
        closed, other = socket.socketpair()
        closed.close()
        selector = self.selector
        calls: dict[str, Callable[[], object]] = {
            "register twice": lambda: (selector.register(a, READ), selector.register(a, WRITE)),
            "unregister unknown": lambda: selector.unregister(a),
            "modify unknown": lambda: selector.modify(a, READ),
            "get_key unknown": lambda: selector.get_key(a),
            "register no events": lambda: selector.register(a, 0),
            "register bad events": lambda: selector.register(a, 999),
            "register negative fd": lambda: selector.register(-10, READ),
            "register no fileno": lambda: selector.register(object(), READ),  # type: ignore[arg-type]
            "register closed": lambda: selector.register(closed, READ),
        }
        before = len(selector.get_map())
        error = None
        try:
            calls[text]()
        except Exception as caught:
            error = type(caught).__name__
        after = len(selector.get_map())
        if text == "register twice":
            selector.unregister(a)
            before += 1
        for end in (a, b, other):
            end.close()
        self.note("refused", text, error=error, before=before, after=after)

    def do_fail(self, text: str) -> None:
        """Make one call that the kernel may refuse; either way the map must tell the truth after it."""
        selector, problems, error = self.selector, [], None
        before = len(selector.get_map())
        with tempfile.TemporaryFile() as file:
            a, b = socket.socketpair()
            number = a.fileno()
            if text == "modify dead fd":
                selector.register(number, READ, "old")
            if text != "register regular file":
                a.close()
            else:
                number = file.fileno()
            try:
                if text == "modify dead fd":
                    selector.modify(number, WRITE, "new")
                else:
                    selector.register(number, READ, "new")
            except (OSError, ValueError, KeyError) as caught:
                error = f"{type(caught).__name__}: {caught}"
            key = selector.get_map().get(number)
            if error and key is not None and key.data == "new":
                problems.append(f"{error}, and yet the map has {key}")
            if not error and (key is None or key.data != "new"):
                problems.append(f"no error, and yet the map has {key}")
            if key is not None:
                selector.unregister(number)
            a.close()
            b.close()
        after = len(selector.get_map())
        if before != after:
            problems.append(f"the map went from {before} to {after} keys")
        self.note("failed", text, error=error, problems=problems)

    # -- waiting -----------------------------------------------------------------------------------------

    def do_select(self, ms: Any) -> None:
        timeout = None if ms == "none" else ms / 1000
        before = self._ready_now()
        started = time.monotonic()
        error, reported = None, []
        try:
            reported = self.selector.select(timeout)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        elapsed = time.monotonic() - started
        after = self._ready_now()
        seen: dict[str, int] = {}
        problems = []
        own = {ours.fileno() for ours, _ in self._many}
        numbers = {self.pairs[pair].number: pair for pair in self._wanted}
        for key, mask in reported:
            pair = numbers.get(key.fd)
            if pair is None:
                self._many_seen.add(key.fd)
                if key.fd not in own:
                    problems.append(f"fd {key.fd} reported, which is not registered")
                continue
            if not mask or mask & ~self._wanted[pair]:
                problems.append(f"pair {pair} reported with mask {mask}, registered for {self._wanted[pair]}")
            if str(pair) in seen:
                problems.append(f"pair {pair} reported twice")
            seen[str(pair)] = seen.get(str(pair), 0) | mask
        self.note(
            "selected",
            str(ms),
            timeout=timeout,
            elapsed=elapsed,
            error=error,
            seen=seen,
            must={str(pair): must for pair, (must, _) in before.items() if must},
            may={str(pair): may | before[pair][1] for pair, (_, may) in after.items()},
            many_seen=len(self._many_seen),
            many_ready=len(self._many),
            problems=problems,
            registered=len(self._wanted) + len(self._many),
            abandoned=sorted(self._abandoned & self._wanted.keys()),
        )

    def _ready_now(self) -> dict[int, tuple[int, int]]:
        """What must and what may be reported of each live registered pair; the kernel is asked one by one."""
        return {
            pair: _ask_kernel(self.pairs[pair].number, wanted)
            for pair, wanted in self._wanted.items()
            if pair not in self._abandoned
        }

    def do_many(self, count: int) -> None:
        """Open that many pairs, or as many as the process may have; make each readable and register it."""
        for _ in range(count):
            try:
                ours, peer = socket.socketpair()
            except OSError as error:
                self.note("enough", str(len(self._many)), error=str(error))
                return
            peer.send(b"x")
            self._many.append((ours, peer))
            self.selector.register(ours, READ)

    def do_alarm(self, ms: float) -> None:
        arrived: list[int] = []
        self._old_handler = self._old_handler or signal.signal(signal.SIGALRM, lambda *_: arrived.append(1))
        signal.setitimer(signal.ITIMER_REAL, ms / 1000)

    def do_wake(self, pair: int, ms: float) -> None:
        peer = self.pair(pair).peer

        def send() -> None:
            time.sleep(ms / 1000)
            peer.send(b"x")

        thread = threading.Thread(target=send, daemon=True)
        self._threads.append(thread)
        thread.start()


def _ask_kernel(number: int, wanted: int) -> tuple[int, int]:
    """What must and what may be reported of one descriptor.

    A hang-up alone may or may not count as writable: select(2) keeps it from those who only wait to write.
    """
    if not hasattr(select, "poll"):
        readable, writable, broken = select.select(
            [number] if wanted & READ else [], [number] if wanted & WRITE else [], [number], 0
        )
        mask = (READ if readable else 0) | (WRITE if writable or broken else 0)
        return mask, mask
    poller = select.poll()
    poller.register(
        number, (select.POLLIN if wanted & READ else 0) | (select.POLLOUT if wanted & WRITE else 0)
    )
    must = may = 0
    for _, events in poller.poll(0):
        if events & ~select.POLLOUT:
            must |= READ
        if events & (select.POLLOUT | select.POLLERR | select.POLLNVAL):
            must |= WRITE
        may = must | (WRITE if events & select.POLLHUP else 0)
    return must & wanted, may & wanted
