"""What is left of a loop when it is closed and gone, as lines of a script."""

from __future__ import annotations

import os

from .scheduling import LoopScript
from .script import Lines, Place, Table


def leave(script: LoopScript, _place: Place) -> Lines:
    """Counts what there is before the loop is made and after it is gone."""
    script.needs("gc", "threading", "warnings", *(["os"] if os.name == "posix" else []))
    script.state("warnings", 'warnings.simplefilter("always", ResourceWarning)')
    script.state("threads_before", "threads_before = threading.active_count()", first=True)
    told = ['print("threads more than before the loop:", threading.active_count() - threads_before)']
    if os.name == "posix":
        script.state("fds_before", 'fds_before = len(os.listdir("/dev/fd"))', first=True)
        told.append('print("fds more than before the loop:", len(os.listdir("/dev/fd")) - fds_before)')
    return [
        "gc.collect()",
        'print("-- the loop is closed")',
        "loop.close()",
        "gc.collect()",
        *told,
    ]


LINES: Table = {"leave": leave}
