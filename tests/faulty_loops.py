"""Every faulty loop, by name: `faulty_loops:early_timer` is a factory that a conformance run can judge.

The faults stand in one module for each group of rules; here they are put together, with three loops that
take their process along, which a suite has to survive.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import time
from typing import Any

from faulty_base import FaultBed, LoopFault, SteppedLoop
from faulty_cancellation import CANCELLATION_FAULTS
from faulty_contradictions import CONTRADICTION_FAULTS
from faulty_datagrams import DATAGRAM_FAULTS
from faulty_endings import ENDING_FAULTS
from faulty_factories import FACTORY_FAULTS
from faulty_heaps import HEAP_FAULTS
from faulty_jobs import JOB_FAULTS
from faulty_life_cycle import LIFE_CYCLE_FAULTS
from faulty_names import NAME_FAULTS
from faulty_ordering import ORDERING_FAULTS
from faulty_pipes import PIPE_FAULTS
from faulty_processes import PROCESS_FAULTS
from faulty_resources import RESOURCE_FAULTS
from faulty_signals import SIGNAL_FAULTS
from faulty_sock_calls import SOCK_CALL_FAULTS
from faulty_tasks import TASK_FAULTS
from faulty_timers import TIMER_FAULTS
from faulty_tls import TLS_FAULTS
from faulty_transports import TRANSPORT_FAULTS

if hasattr(select, "epoll"):  # which they spoil
    from faulty_readiness import READINESS_FAULTS
else:
    READINESS_FAULTS = FaultBed()

__all__ = ["KILLERS", "LOOP_FAULTS", "LoopFault", "SteppedLoop"]

KILLERS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@KILLERS.plant
class SleepsForEver(SteppedLoop):
    """invented: the loop blocks in its first turn, deaf to everything. Breaks ORD-01 (hung)."""

    def _run_once(self) -> None:
        while True:
            time.sleep(3600)


@KILLERS.plant
class ExitsTheProcess(SteppedLoop):
    """invented: the loop ends its process with status 3 in its first turn. Breaks ORD-01 (crashed)."""

    def _run_once(self) -> None:
        os._exit(3)


@KILLERS.plant
class Segfaults(SteppedLoop):
    """invented: the loop writes to memory that is not its own in its first turn. Breaks ORD-01 (crashed)."""

    def _run_once(self) -> None:
        ctypes.memset(8, 0, 1)  # PyPy looks out for zero


LOOP_FAULTS: dict[str, LoopFault] = {
    **ORDERING_FAULTS,
    **TIMER_FAULTS,
    **HEAP_FAULTS,
    **CANCELLATION_FAULTS,
    **TASK_FAULTS,
    **JOB_FAULTS,
    **READINESS_FAULTS,
    **LIFE_CYCLE_FAULTS,
    **PIPE_FAULTS,
    **PROCESS_FAULTS,
    **SIGNAL_FAULTS,
    **RESOURCE_FAULTS,
    **ENDING_FAULTS,
    **FACTORY_FAULTS,
    **SOCK_CALL_FAULTS,
    **CONTRADICTION_FAULTS,
    **TRANSPORT_FAULTS,
    **DATAGRAM_FAULTS,
    **NAME_FAULTS,
    **TLS_FAULTS,
    **KILLERS,
}


def __getattr__(name: str) -> Any:
    """Make each fault's factory an attribute of this module, under the name of the fault (PEP 562)."""
    if name in LOOP_FAULTS:
        return LOOP_FAULTS[name].factory
    raise AttributeError(f"module {__name__!r} plants no fault {name!r}; it has: {', '.join(LOOP_FAULTS)}")
