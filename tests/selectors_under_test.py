"""The backends that the selector tests run over.  A new backend is two lines in ``CLASSES``."""

from __future__ import annotations

import sys

import pytest
from muxloop.selectors_impl import Selector
from muxloop.selectors_impl.epoll import EpollSelector
from muxloop.selectors_impl.kqueue import KqueueSelector
from muxloop.selectors_impl.poll import PollSelector
from muxloop.selectors_impl.select import SelectSelector
from muxloop.selectors_impl.uring import UringSelector

CLASSES: dict[str, type[Selector]] = {
    "epoll": EpollSelector,
    "kqueue": KqueueSelector,
    "poll": PollSelector,
    "select": SelectSelector,
    "uring": UringSelector,
}

if sys.platform.startswith("linux"):
    import kqueue_emulation

    class EmulatedKqueueSelector(KqueueSelector):
        # Also named as a plug-in is, in MUXLOOP_BACKEND: ci/platforms/kqueue_emulated.sh.
        interface_version = 1
        kernel = kqueue_emulation
        resolution = 1e-3  # of the epoll that it is built on

    CLASSES["kqueue-emulated"] = EmulatedKqueueSelector
    # The real one cannot be had here, and a skip for every test of it would say nothing.
    del CLASSES["kqueue"]


def backends(*wanted: str) -> list[object]:
    """Parameters for ``pytest.mark.parametrize``: the wanted backends, or all."""
    parameters = []
    for name, selector_class in CLASSES.items():
        if not wanted or name in wanted:
            reason = selector_class.probe()
            marks = pytest.mark.skipif(reason is not None, reason=f"{name}: {reason}")
            parameters.append(pytest.param(selector_class, id=name, marks=marks))
    return parameters


every_backend = pytest.mark.parametrize("backend", backends())


def ready(selector: Selector, timeout: float | None = 0) -> dict[int, int]:
    """What select reports, by number; each must occur once."""
    events = selector.select(timeout)
    assert len({key.fd for key, _ in events}) == len(events)
    return {key.fd: mask for key, mask in events}
