"""A loop on any backend whose waits are counted, to tell what spins from what rests."""

from __future__ import annotations

from collections.abc import Iterator

from muxloop import EventLoop
from muxloop.selectors_impl import Selector

# A wait may end early now and then (a wake-up, a set that is rebuilt); thousands of times is a spin.
FEW = 20


class CountedLoop(EventLoop):
    """A loop on a backend of its own; ``waits`` counts the calls of the backend's ``select``."""

    def __init__(self, backend: type[Selector]) -> None:
        self.backend = backend
        selector = backend()
        wait = selector.select
        self.waits = 0

        def select(timeout: float | None = None) -> object:
            self.waits += 1
            return wait(timeout)

        selector.select = select  # type: ignore[method-assign, assignment]
        super().__init__(selector)

    def run_for(self, seconds: float) -> int:
        """Run for that time and return how many waits it took."""
        before = self.waits
        self.call_later(seconds, self.stop)
        self.run_forever()
        return self.waits - before

    def rests(self) -> bool:
        """Whether the loop waits instead of spinning, having had every chance to find what is dead."""
        for _ in range(50):
            self.run_for(0)
        return self.run_for(0.03) < FEW


def counted(backend: type[Selector]) -> Iterator[CountedLoop]:
    """For a fixture: a loop that is closed after the test."""
    loop = CountedLoop(backend)
    yield loop
    loop.close()
