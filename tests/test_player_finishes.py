"""What a play has done to its process is undone, whatever its loop does."""

import asyncio

import pytest
from muxloop.conformance.player import play_on_loop

resource = pytest.importorskip("resource")


class Unclosable(asyncio.SelectorEventLoop):
    """Its close() raises, once, as uvloop's does when a run ended with an OSError."""

    def close(self):
        super().close()
        raise RuntimeError("cannot be closed")


def test_a_loop_that_cannot_be_closed_leaves_the_next_one_its_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        events = play_on_loop(Unclosable, (("starve",),), 1.0)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert events[-1][2:] == ("unfinished", "", {"error": "RuntimeError('cannot be closed')"})
