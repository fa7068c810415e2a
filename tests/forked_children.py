"""A piece of a test that runs in a forked child."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable


def in_child(play: Callable[[], object]) -> int:
    """Run *play* in a forked child; 0 when it returned, 1 when it raised."""
    pid = os.fork()
    if not pid:
        signal.alarm(30)  # a child that hangs dies, and the test fails
        try:
            play()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
