"""The servers that suites need, each started on a free port and ended with the suite."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from environments import SetUpError

_STARTING_S = 20.0


@contextlib.contextmanager
def running(names: Sequence[str], log: Path) -> Iterator[dict[str, int]]:
    """The ports of the services, by name, while they run. SetUpError if one cannot be started."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(_SERVICES[name](log)) for name in names}


@contextlib.contextmanager
def _redis(log: Path) -> Iterator[int]:
    command = shutil.which("redis-server")
    if command is None:
        raise SetUpError("no redis-server; ci/redis.sh installs it (Debian: apt-get install redis-server)")
    with tempfile.TemporaryDirectory() as folder, log.open("a") as output:
        port = _free_port()
        settings = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        # The tests use DEBUG, which a server of today refuses unless told.
        settings += ["--enable-debug-command", "yes"]
        process = subprocess.Popen([command, *settings], stdout=output, stderr=output)
        try:
            _await(process, port)
            yield port
        finally:
            process.terminate()
            process.wait()


_SERVICES = {"redis": _redis}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    """Until something listens there; a server offers no other event to wait for."""
    deadline = time.monotonic() + _STARTING_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SetUpError(f"{process.args} does not listen on port {port}")
