"""Ctrl-C during a run: exit code 130, the terminal as it was, no process left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal and process groups", allow_module_level=True)
import pty

TESTS = Path(__file__).parent
SHOW_CURSOR = b"\x1b[?25h"


class Terminal:
    """A run of `muxloop conform` on a terminal of its own."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(TESTS)}
        environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
        command = [sys.executable, "-P", "-m", "muxloop", "conform", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.seen = b""

    def read_until(self, pattern):
        """Read until the pattern shows; False when the terminal is closed before."""
        while not re.search(pattern, self.seen):
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                return False
        return True

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal():
    opened = []

    def open_(*arguments):
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def descendants(of):
    """Process ids of all descendants."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found = {of}
    while more := {pid for pid, parent in parents if parent in found and pid not in found}:
        found |= more
    return found - {of}


def still_running(pids):
    """Those that have not ended after a while; a process caught while it starts ends a little later."""
    deadline = time.monotonic() + 30
    while (left := running(pids)) and time.monotonic() < deadline:
        pass
    return left


def running(pids):
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True)
    states = dict(line.split() for line in listed.stdout.splitlines())
    return [pid for pid in pids if not states.get(str(pid), "Z").startswith("Z")]


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_control_c(terminal, spread):
    run = terminal("muxloop@select", "--profile", "default", *spread)
    assert run.read_until(rb"[1-9]\d* held" if not spread else rb"muxloop@select [A-Z]+-\d\d"), run.seen
    below = descendants(run.process.pid)
    assert below
    os.killpg(run.process.pid, signal.SIGINT)
    assert not run.read_until(b"never to be seen")
    assert run.process.wait(60) == 130
    assert run.seen.rstrip().endswith(b"muxloop: interrupted")
    assert b"Traceback" not in run.seen
    assert SHOW_CURSOR in run.seen
    assert not still_running(below)


def test_control_c_while_a_factory_hangs(terminal):
    run = terminal("hostile_factories:sleeps")
    assert run.read_until(rb"0/\d+"), run.seen
    while not (below := descendants(run.process.pid)):
        pass
    os.killpg(run.process.pid, signal.SIGINT)
    assert not run.read_until(b"never to be seen")
    assert run.process.wait(60) == 130
    assert not still_running(below)
