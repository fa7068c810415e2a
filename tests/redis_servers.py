"""A Redis server of the tests' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def need_redis() -> str:
    """The path of redis-server; skips the test where the server or its Python client is not installed.

    For a CI server with Linux and root that is a failure: ci/redis.sh could have installed the server.
    """
    pytest.importorskip("redis", reason="the Python client of Redis is not installed")
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI") == "true" and sys.platform == "linux" and os.geteuid() == 0:
            pytest.fail("no redis-server is installed, which ci/redis.sh should have seen to")
        pytest.skip("no redis-server is installed")
    return program


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The address of a server that keeps nothing, while it runs."""
    program = need_redis()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            said = []
            for line in server.stdout:
                said.append(line)
                if "Ready to accept connections" in line:
                    break
            else:
                pytest.fail("redis-server has ended:\n" + "".join(said))
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
