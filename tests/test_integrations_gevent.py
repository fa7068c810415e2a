"""gevent on our loop: programs of `gevent_programs.py` and `gevent_process_programs.py`, on every backend."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from example_runs import EXAMPLES, promised
from loops_under_test import OURS
from pages import blocks_of

LOOP = "muxloop.integrations.gevent.Loop"
TESTS = Path(__file__).parent
PROGRAMS = [
    f"{module}.{node.name}"
    for module in ("gevent_programs", "gevent_process_programs")
    for node in ast.parse((TESTS / f"{module}.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef)
]

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="needs gevent"),
    pytest.mark.skipif(sys.platform == "win32", reason="the loop for gevent needs POSIX"),
]


def run(*command: str, backend: str | None = None, loop: str = LOOP) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GEVENT")}
    environment |= {"GEVENT_LOOP": loop} | ({} if backend is None else {"MUXLOOP_BACKEND": backend})
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=110, check=False
    )


LAUNCH = """
import sys
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].partition(".")
program = getattr(__import__(module), name)
import gevent
loop = gevent.get_hub().loop
assert (type(loop).__module__, loop.backend) == ("muxloop.integrations.gevent.loop", sys.argv[3])
del loop
program()
print("done")
"""


@pytest.mark.parametrize("backend", OURS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program(program: str, backend: str) -> None:
    if "a_child_that_stops" in program and sys.platform != "linux":
        pytest.skip("only Linux sends SIGCHLD for a child that goes on")
    done = run("-c", LAUNCH, str(TESTS), program, backend, backend=backend)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize("backend", OURS)
def test_the_example(backend: str) -> None:
    done = run("-X", "dev", str(EXAMPLES / "gevent_pool.py"), backend=backend)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", promised("gevent_pool.py"))


PATCHED = """
import warnings
warnings.simplefilter("error")
from gevent import monkey
monkey.patch_all()
{choose}
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import gevent
loop = gevent.get_hub().loop
assert type(loop).__module__ == "muxloop.integrations.gevent.loop"
assert loop.backend == sys.argv[1]
pairs = [socket.socketpair() for _ in range(3)]
answers = queue.Queue()
threads = [threading.Thread(target=lambda ours=ours: answers.put(ours.recv(1))) for ours, _ in pairs]
for thread in threads:
    thread.start()
assert select.select([pairs[0][1]], [], [], 0.01) == ([], [], [])
for number, (_, theirs) in enumerate(pairs):
    theirs.send(b"%d" % number)
for thread in threads:
    thread.join()
assert sorted(answers.get() for _ in threads) == [b"0", b"1", b"2"]
for pair in pairs:
    for each in pair:
        each.close()
assert socket.getaddrinfo("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80)
assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
seen = []
signal.signal(signal.SIGCHLD, lambda *_: seen.append(1))
assert subprocess.run(["true"]).returncode == 0
time.sleep(0.01)
assert seen == [1]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
assert subprocess.run(["sh", "-c", "exit 4"]).returncode == 4
print("done")
"""


@pytest.mark.parametrize("backend", OURS)
@pytest.mark.parametrize(
    ("loop", "choose"),
    [
        pytest.param(LOOP, "", id="by the environment"),
        pytest.param("", f'import gevent; gevent.config.loop = "{LOOP}"', id="after the patching"),
    ],
)
def test_a_patched_program(loop: str, choose: str, backend: str) -> None:
    done = run("-c", PATCHED.format(choose=choose), backend, backend=backend, loop=loop)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ("'kqueue'" if sys.platform == "linux" else "'epoll'", r"GEVENT_BACKEND=\w+: not available on "),
        ("'nothing'", "GEVENT_BACKEND=nothing: not a known backend; available: "),
        ("3", "TypeError: flags=3: give names of backends, such as 'poll', or None"),
    ],
)
def test_a_backend_that_cannot_be_had_is_refused(flags: str, error: str) -> None:
    done = run("-c", f"from gevent.core import loop; loop({flags})")
    assert done.returncode == 1
    assert re.search(error, done.stderr.splitlines()[-1]), done.stderr


def test_the_code_that_chooses_the_loop(tmp_path: Path) -> None:
    (block,) = blocks_of("docs/gevent.md")
    script = tmp_path / "program.py"
    script.write_text(block, encoding="utf-8")
    assert run(str(script), backend="poll", loop="").stdout == "poll\n"
