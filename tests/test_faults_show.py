"""Every planted fault is live: a few lines of plain asyncio go wrong with it and go right without it."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the faults are planted in Linux's loop and epoll", allow_module_level=True)

import faulty_loops
import faulty_selectors
from faulty_base import Fault
from faulty_loops import KILLERS, LOOP_FAULTS
from faulty_selectors import SELECTOR_FAULTS
from muxloop.conformance.rules import all_rules
from symptoms import SYMPTOMS, Symptom

for module in (
    "ordering",
    "timers",
    "cancellation",
    "tasks",
    "jobs",
    "readiness",
    "life_cycle",
    "pipes",
    "processes",
    "signals",
    "resources",
    "endings",
    "transports",
    "datagrams",
    "names",
    "factories",
    "sock_calls",
    "contradictions",
    "tls",
    "selectors",
    "selector_lives",
):
    importlib.import_module(f"symptoms_{module}")

SOUND_PATIENCE_S = 10.0
FAULTY_PATIENCE_S = 0.3

PLANTED: list[Fault[Any]] = [*LOOP_FAULTS.values(), *SELECTOR_FAULTS.values()]
LIVE = {fault.name: fault for fault in PLANTED if fault.name not in KILLERS}


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def own_garbage() -> Iterator[None]:
    """A faulty loop may leave transports behind that complain when they die: not in somebody else's test."""
    if hasattr(gc, "freeze"):  # what was there before need not be looked through
        gc.freeze()
    yield
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.unfreeze()


@pytest.fixture(autouse=True)
def quiet_asyncio() -> Iterator[None]:
    """The default exception handler logs errors that are raised here on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def look(symptom: Symptom, factory: Callable[[], Any], patience_s: float) -> object:
    """What the symptom shows; an exception that comes out is an observation too."""
    subject = factory()
    try:
        return symptom.observe(subject, patience_s)
    except Exception as error:
        return error
    finally:
        asyncio._set_running_loop(None)
        if not (isinstance(subject, asyncio.AbstractEventLoop) and subject.is_closed()):
            subject.close()


SOUND = [
    pytest.param(symptom, sound, id=f"{symptom.observe.__name__}-{sound.__name__}")
    for symptom in dict.fromkeys(SYMPTOMS.values())
    for sound in symptom.sound
]


@pytest.mark.parametrize(("symptom", "sound"), SOUND)
def test_a_sound_one_shows_no_symptom(symptom: Symptom, sound: Callable[[], Any]) -> None:
    assert look(symptom, sound, SOUND_PATIENCE_S) == symptom.right


@pytest.mark.parametrize("name", LIVE)
def test_a_fault_shows(name: str) -> None:
    assert look(SYMPTOMS[name], LIVE[name].factory, FAULTY_PATIENCE_S) != SYMPTOMS[name].right


def test_every_fault_has_its_symptom() -> None:
    assert set(SYMPTOMS) == set(LIVE)


@pytest.mark.parametrize(
    ("module", "faults"), [(faulty_loops, LOOP_FAULTS), (faulty_selectors, SELECTOR_FAULTS)]
)
def test_a_fault_can_be_named_as_an_attribute_of_its_module(module: Any, faults: dict[str, Any]) -> None:
    assert {name: getattr(module, name) for name in faults} == {
        name: fault.factory for name, fault in faults.items()
    }
    with pytest.raises(AttributeError, match="no fault 'sound_loop'"):
        module.sound_loop  # noqa: B018 - the access is the test


@pytest.mark.parametrize(
    "fault", [*LOOP_FAULTS.values(), *SELECTOR_FAULTS.values()], ids=lambda fault: fault.name
)
def test_a_fault_names_a_rule(fault: Any) -> None:
    assert fault.rule in {rule.id for rule in all_rules()}
    assert fault.outcome in {"broken", "hung", "crashed"}


def start_killer(name: str) -> subprocess.Popen[str]:
    """Run one turn of a loop that takes its process along; "ready" is printed just before."""
    program = (
        f"import faulty_loops; loop = faulty_loops.{name}(); print('ready', flush=True); loop.run_forever()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )


@pytest.mark.parametrize(("name", "status"), [("exits_the_process", 3), ("segfaults", -signal.SIGSEGV)])
def test_a_crashing_loop_takes_its_process_along(name: str, status: int) -> None:
    with start_killer(name) as process:
        assert process.wait(timeout=60) == status


def test_a_sleeping_loop_does_not_come_back() -> None:
    with start_killer("sleeps_for_ever") as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.3)
        process.kill()
