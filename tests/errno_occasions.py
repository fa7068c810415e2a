"""Every occasion on which a kernel can refuse a backend something, and what has to come of each errno.

``docs/errnos.md`` is this table for users; ``test_selectors_errnos.py`` plays it and compares the two.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from selectors import EVENT_READ, EVENT_WRITE

from failing_kernels import FailingKernel
from muxloop.selectors_impl import Selector
from numbered_sockets import Numbers

ERRNOS = (
    *("EBADF", "EEXIST", "ENOENT", "EPERM", "EINVAL", "ENOMEM", "ENOSPC", "ELOOP", "EINTR", "EAGAIN"),
    *("EFAULT", "EMFILE", "ENFILE", "EACCES", "EIO", "ENODEV", "EBUSY", "ENOSYS", "ENOBUFS", "EPIPE"),
)
MOMENTARY = ("ENOMEM", "ENOSPC", "EINTR", "EAGAIN", "EMFILE", "ENFILE", "EBUSY", "ENOBUFS")

RAISED = "raised"
"""The caller gets it; the map and what is watched are as before, and the next call finds no trace."""
MADE_GOOD = "made good"
"""The caller gets what was asked for: it is done by another call, or at once anew."""
ALWAYS_READY = "always ready"
"""The kernel cannot watch a file that never blocks: the file is reported by each wait."""
DROPPED = "dropped"
"""The registration leaves the map, and ``take_dropped`` tells of it; the others are served."""

Outcomes = dict[str, str]


def outcomes(default: str, **exceptions: str) -> Outcomes:
    return {name: exceptions.get(name, default) for name in ERRNOS}


def refused(**exceptions: str) -> Outcomes:
    """A file that the kernel refuses anew is dropped, unless the refusal may pass."""
    return outcomes(DROPPED, **dict.fromkeys(MOMENTARY, RAISED), **exceptions)


class Scene:
    """A selector on a failing kernel and two sockets: a bystander that is ready, and the one it is about."""

    def __init__(self, backend: type[Selector], numbers: Numbers) -> None:
        self.numbers = numbers
        self.kernel = FailingKernel(backend.kernel)  # type: ignore[attr-defined]
        self.selector: Selector = type("Failing", (backend,), {"kernel": self.kernel})()
        self.bystander, self._its_peer = numbers.pair()
        self.file, self._peer = numbers.pair()
        self.has_data = False  # for the file to be read
        self.selector.register(self.bystander, EVENT_READ)
        self.wake_bystander()

    def wake_bystander(self) -> None:
        os.write(self._its_peer, b"x")

    def quiet_bystander(self) -> None:
        os.read(self.bystander, 100)

    def watch(self, events: int = EVENT_READ) -> None:
        self.selector.register(self.file, events, "first")

    def send(self) -> None:
        self.has_data = True
        os.write(self._peer, b"x")

    def report(self) -> dict[int, int]:
        """What is ready besides the bystander, which must be."""
        ready = {key.fd: mask for key, mask in self.selector.select(0)}
        assert ready.pop(self.bystander, 0) == EVENT_READ
        return ready


@dataclass
class Occasion:
    """A call that may fail: what leads to it, what makes it, and what has to come of it."""

    backend: str
    name: str
    calls: str
    """The system calls that fail, as `FailingKernel` names them."""
    results: Outcomes
    prepare: Callable[[Scene], object]
    act: Callable[[Scene], object]
    about_file: bool = True
    """Only calls about the one file fail; the bystander has to be served meanwhile."""
    once: dict[str, str] = field(default_factory=dict)
    """What differs when only the first call fails."""
    forked: bool = False
    """Played in a forked child."""
    briefly: bool = False
    """The fault ends with the call, for waits make the same one."""
    halts: bool = False
    """While it fails with what may pass nobody is served, for there is nothing to wait with."""

    def __str__(self) -> str:
        return f"{self.backend}: {self.name}, {self.calls.split()[0]}"

    def expected(self, name: str, times: int | None) -> str:
        return self.once.get(name, self.results[name]) if times else self.results[name]


def watch(scene: Scene) -> None:
    scene.watch()


def watch_and_send(scene: Scene) -> None:
    scene.watch()
    scene.send()


def quietly_watch(scene: Scene) -> None:
    scene.watch()
    scene.quiet_bystander()


def watch_the_other_way(scene: Scene) -> None:
    scene.watch(EVENT_WRITE)


def doubt(scene: Scene) -> None:
    """The number had another file, whose entry lives on: each event of epoll for it is put before poll(2)."""
    numbers = scene.numbers
    keep = numbers.dup(scene.file)
    other, _ = numbers.pair()
    numbers.put(other, scene.file)
    scene.watch()
    numbers.put(keep, scene.file)
    scene.selector.unregister(scene.file)
    watch_and_send(scene)


def leave_a_stale_entry(scene: Scene) -> None:
    """An entry of epoll's that cannot be deleted becomes ready: the next wait makes a new set."""
    scene.watch()
    ours, theirs = scene.numbers.pair()
    scene.numbers.dup(ours)
    scene.selector.register(ours, EVENT_READ)
    scene.numbers.close(ours)
    scene.selector.unregister(ours)
    os.write(theirs, b"x")


def settle(scene: Scene) -> None:
    """Watch, and wait once: a request of io_uring's is armed."""
    scene.watch()
    scene.report()


def register(scene: Scene) -> None:
    scene.selector.register(scene.file, EVENT_READ, "new")


def modify(scene: Scene) -> None:
    scene.selector.modify(scene.file, EVENT_READ, "new")


def unregister(scene: Scene) -> None:
    scene.selector.unregister(scene.file)


def look(scene: Scene) -> None:
    scene.selector.select(0)


def wait_out(scene: Scene) -> None:
    """On a busy machine the first part of a wait may last for all of it: then again."""
    while not scene.kernel.has_failed:
        scene.kernel.calls.clear()
        start = time.monotonic()
        assert scene.selector.select(0.001) == []
        assert time.monotonic() - start >= 0.001
    scene.wake_bystander()


def changes(
    backend: str,
    calls: str,
    results: Outcomes,
    *,
    once: Outcomes | None = None,
    once_modifying: Outcomes | None = None,
    briefly: bool = False,
) -> Iterator[Occasion]:
    once = once or {}
    yield Occasion(backend, "register", calls, results, lambda _: None, register, once=once, briefly=briefly)
    once = once | (once_modifying or {})
    yield Occasion(backend, "modify", calls, results, watch_the_other_way, modify, once=once, briefly=briefly)


def wait(backend: str, calls: str, results: Outcomes | None = None) -> Occasion:
    results = results or outcomes(RAISED)
    return Occasion(backend, "wait", calls, results, watch_and_send, look, about_file=False)


def end_of_wait(backend: str, calls: str) -> Occasion:
    return Occasion(
        backend, "end of a wait", calls, outcomes(MADE_GOOD), quietly_watch, wait_out, about_file=False
    )


def new_set(
    backend: str,
    make: str,
    enter: tuple[str, ...] = (),
    results: Outcomes | None = None,
    *,
    once: Outcomes | None = None,
    forked: bool = True,
) -> Iterator[Occasion]:
    """The kernel's object is made anew: in a forked child, or to be rid of what cannot be deleted."""
    prepare = watch if forked else leave_a_stale_entry
    name = "new set after a fork" if forked else "new set"
    yield Occasion(
        backend, name, make, outcomes(RAISED), prepare, look, about_file=False, forked=forked, halts=True
    )
    for calls in enter:
        yield Occasion(
            backend,
            f"file in a {name}",
            calls,
            results or {},
            prepare,
            look,
            once=once or {},
            forked=forked,
            halts=True,
        )


_EPOLL_CTL = "epoll.register epoll.modify epoll.unregister"

_ENTERED = refused(EPERM=ALWAYS_READY)
_AGAIN = {"EPERM": MADE_GOOD}

OCCASIONS = [
    *changes(
        "epoll",
        _EPOLL_CTL,
        outcomes(RAISED, EPERM=ALWAYS_READY),
        once=_AGAIN,
        once_modifying={"ENOENT": MADE_GOOD},
    ),
    Occasion("epoll", "unregister", _EPOLL_CTL, outcomes(MADE_GOOD), watch_and_send, unregister),
    wait("epoll", "epoll.poll"),
    end_of_wait("epoll", "epoll_pwait2"),
    Occasion("epoll", "second opinion", "poll.poll", outcomes(MADE_GOOD), doubt, look, about_file=False),
    *new_set("epoll", "epoll", (_EPOLL_CTL,), _ENTERED, once=_AGAIN, forked=False),
    *new_set("epoll", "epoll", (_EPOLL_CTL,), _ENTERED, once=_AGAIN),
    *changes("kqueue-emulated", "fstat", outcomes(RAISED)),
    *changes("kqueue-emulated", "kqueue.control", outcomes(RAISED)),
    Occasion(
        "kqueue-emulated", "unregister", "kqueue.control", outcomes(MADE_GOOD), watch_and_send, unregister
    ),
    wait("kqueue-emulated", "kqueue.control"),
    *new_set("kqueue-emulated", "kqueue", ("fstat", "kqueue.control"), refused()),
    *changes("uring", "require_open", outcomes(RAISED)),
    Occasion(
        "uring", "unregister", "io_uring_enter", outcomes(MADE_GOOD), settle, unregister, about_file=False
    ),
    wait("uring", "io_uring_enter", outcomes(RAISED, EINTR=MADE_GOOD)),
    *new_set("uring", "io_uring_setup"),
    *new_set("uring", "mmap"),
    *changes("poll", "require_open", outcomes(RAISED)),
    wait("poll", "poll.poll"),
    end_of_wait("poll", "ppoll"),
    *changes("select", "select", outcomes(RAISED), briefly=True),
    wait("select", "select"),
    Occasion(
        "select", "one file of a wait", "select", refused(), watch, look, once=outcomes(RAISED), halts=True
    ),
]
