"""Every errno at every call: nothing changed, made good, or its file dropped; the others are served."""

from __future__ import annotations

import errno
import sys
import time
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from errno_occasions import (
    ALWAYS_READY,
    DROPPED,
    ERRNOS,
    MADE_GOOD,
    MOMENTARY,
    OCCASIONS,
    RAISED,
    Occasion,
    Scene,
    outcomes,
)
from forked_children import in_child
from numbered_sockets import Numbers
from pages import text_of
from selectors_under_test import CLASSES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there")

# System calls that no one call of ours may exceed: with two files registered, more would be a spin.
MOST_CALLS = 25

# How many waits may end early before a selector is at rest.
MOST_EARLY_WAITS = 5


def play(scene: Scene, occasion: Occasion, number: int, times: int | None) -> str:
    """Play the occasion with a fault, and name what came of it."""
    before = dict(scene.selector.get_map())
    outcome = MADE_GOOD
    about = scene.file if occasion.about_file else None
    with scene.kernel.failing(number, calls=occasion.calls.split(), about=about, times=times):
        scene.kernel.calls.clear()
        try:
            occasion.act(scene)
        except OSError:
            outcome = RAISED
            assert dict(scene.selector.get_map()) == before
        assert scene.kernel.has_failed
        assert scene.kernel.calls.total() <= MOST_CALLS
        if occasion.about_file and not occasion.briefly and not (outcome == RAISED and occasion.halts):
            if scene.report() and outcome == MADE_GOOD and not scene.has_data:
                outcome = ALWAYS_READY
            come_to_rest(scene)
    dropped = [key.fd for key in scene.selector.take_dropped()]
    assert dropped in ([], [scene.file])
    return DROPPED if dropped else outcome


def come_to_rest(scene: Scene) -> None:
    """Also while the fault lasts, a wait is soon a wait again."""
    scene.quiet_bystander()
    for _ in range(MOST_EARLY_WAITS):
        start = time.monotonic()
        if scene.selector.select(0.002) or time.monotonic() - start >= 0.002:
            break
    else:
        pytest.fail("the selector spins")
    scene.wake_bystander()


def see_that_all_works(scene: Scene, occasion: Occasion, outcome: str) -> None:
    """Once the fault is gone, what is registered is served, and what is not can be registered."""
    is_registered = scene.file in scene.selector.get_map()
    assert is_registered == (
        outcome != DROPPED
        and (occasion.name, outcome) != ("register", RAISED)
        and occasion.name != "unregister"
    )
    if not is_registered:
        assert scene.report() == {}
        scene.watch()
    elif (occasion.name, outcome) == ("modify", RAISED):
        assert scene.report() == {scene.file: EVENT_WRITE}
        occasion.act(scene)
    scene.send()
    for _ in range(2):
        assert scene.report() == {scene.file: EVENT_READ}
    assert scene.selector.take_dropped() == []
    scene.selector.unregister(scene.file)
    assert scene.report() == {}


def play_once_and_lasting(occasion: Occasion, number: int, numbers: Numbers) -> None:
    for times in (1, None):
        scene = Scene(CLASSES[occasion.backend], numbers)
        occasion.prepare(scene)

        def play_to_the_end(scene: Scene = scene, times: int | None = times) -> None:
            outcome = play(scene, occasion, number, times)
            assert outcome == occasion.expected(errno.errorcode[number], times), f"times={times}"
            see_that_all_works(scene, occasion, outcome)

        if occasion.forked:
            assert in_child(play_to_the_end) == 0
        else:
            play_to_the_end()
        scene.selector.close()


@pytest.mark.parametrize("name", ERRNOS)
@pytest.mark.parametrize("occasion", OCCASIONS, ids=str)
def test_every_errno_has_an_outcome(occasion, name, numbers):
    reason = CLASSES[occasion.backend].probe()
    if reason is not None:
        pytest.skip(f"{occasion.backend}: {reason}")
    if occasion.name == "end of a wait" and sys.implementation.name == "pypy":
        pytest.skip("the call is not made here: a wait is rounded up")
    play_once_and_lasting(occasion, getattr(errno, name), numbers)


def test_the_page_says_the_same():
    lines = [line.strip("| ") for line in text_of("docs/errnos.md").splitlines() if line.count("|") == 6]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines[2:]]
    told = {}
    for backend, name, _, default, *exceptions in rows:
        results = outcomes(default)
        for clause in filter(None, ", ".join(exceptions).split(", ")):
            who, outcome = clause.split(": ")
            results |= dict.fromkeys(MOMENTARY if who == "momentary" else [who], outcome)
        told[backend, name] = results
    held = {(o.backend.removesuffix("-emulated"), o.name): o.results for o in OCCASIONS}
    assert told == held
