"""The loops, and the worlds with a driver, that are known by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedLoop:
    """A loop that is known by name."""

    module: str
    factory: str
    takes_backend: bool
    remedy: str
    python: tuple[int, int] = (3, 11)
    capabilities: frozenset[str] = frozenset()
    requires: str = ""
    """The package that must be installed, where it is not the module's own."""
    by_name: bool = False
    """Whether a backend is passed by its name; else the factory is called with an open selector."""
    own_backends: tuple[str, ...] = ()
    """Multiplexers of its own, to be chosen as a backend; without any, muxloop's are."""

    @property
    def distribution(self) -> str:
        """The package that it comes from."""
        return self.requires or self.module


def _driver(
    package: str, factory: str, *, takes_backend: bool, own_backends: tuple[str, ...] = ()
) -> NamedLoop:
    """A world whose driver is the module of its name in ``conformance/drivers``."""
    module = f"muxloop.conformance.drivers.{package}"
    return NamedLoop(
        *(module, factory, takes_backend, f"pip install {package}"),
        requires=package,
        by_name=bool(own_backends),
        own_backends=own_backends,
    )


NAMED_LOOPS = {
    "muxloop": NamedLoop(
        *("muxloop", "new_event_loop", True, ""),
        capabilities=frozenset({"fifo-deadlines", "lost-waits"}),
        by_name=True,
    ),
    "asyncio": NamedLoop("asyncio", "SelectorEventLoop", True, ""),
    "uvloop": NamedLoop("uvloop", "new_event_loop", False, "pip install uvloop"),
    "rloop": NamedLoop("rloop", "new_event_loop", False, "pip install rloop"),
    "zloop": NamedLoop("zloop", "new_event_loop", False, "pip install zloop", python=(3, 12)),
    "talyn": NamedLoop("talyn", "Loop", False, "pip install talyn", python=(3, 13)),
    "winloop": NamedLoop("winloop", "new_event_loop", False, "pip install winloop, on Windows"),
    "qasync": NamedLoop(
        *("muxloop.conformance.subjects.under_qt", "qasync_loop", False, "pip install qasync PySide6"),
        requires="qasync",
    ),
    "asyncio-gevent": NamedLoop(
        *("asyncio_gevent", "EventLoop", False, "pip install asyncio-gevent"), requires="asyncio_gevent"
    ),
    "trio-asyncio": NamedLoop(
        *("muxloop.conformance.subjects.under_trio", "trio_asyncio_loop", False, "pip install trio-asyncio"),
        requires="trio_asyncio",
    ),
    "tornado": _driver("tornado", "TornadoLoop", takes_backend=True),
    "twisted": _driver(
        *("twisted", "TwistedLoop"),
        takes_backend=True,
        own_backends=("epoll", "kqueue", "poll", "select", "asyncio"),
    ),
    "gevent": _driver("gevent", "GeventLoop", takes_backend=False),
    "trio": _driver("trio", "TrioLoop", takes_backend=False),
}
