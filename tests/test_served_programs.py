"""Unchanged programs on every backend, each serving a real client."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys

import muxloop
import pytest
from example_runs import EXAMPLES, complaints, served
from loops_under_test import OURS

REQUESTS = 1000

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to end a server with")


@pytest.mark.parametrize("backend", OURS)
def test_the_echo_server_serves_its_connections_and_ends(backend: str) -> None:
    data = bytes(range(256)) * 1000
    with served("echo_server.py", backend, "--connections", "3") as (program, host, port):
        for _ in range(3):
            with socket.create_connection((host, port)) as client, client.makefile("rb") as answers:
                client.sendall(data)
                assert answers.read(len(data)) == data
                client.shutdown(socket.SHUT_WR)
                assert answers.read() == b""
        _, errors = program.communicate()
        assert (program.returncode, complaints(errors)) == (0, "")


@pytest.mark.parametrize("backend", OURS)
@pytest.mark.parametrize("example", ["aiohttp_server.py", "uvicorn_app.py"])
def test_web_servers_serve_a_thousand_requests(example: str, backend: str) -> None:
    pytest.importorskip(example.split("_", maxsplit=1)[0])
    with served(example, backend) as (program, host, port):
        client = http.client.HTTPConnection(host, port)
        for number in range(REQUESTS):
            client.request("GET", f"/{number}")
            response = client.getresponse()
            assert response.status == 200
            assert response.read() == f"Hello, {number}!\n".encode()
        client.close()
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate()
        assert (program.returncode, complaints(errors)) == (0, "")


@pytest.mark.parametrize("backend", OURS)
def test_an_aiohttp_client_on_muxloop(backend: str) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def ask(host: str, port: int) -> list[str]:
        async with aiohttp.ClientSession() as session:
            answers = []
            for number in range(100):
                async with session.get(f"http://{host}:{port}/{number}") as response:
                    answers.append(await response.text())
        return answers

    with served("aiohttp_server.py", backend) as (_, host, port):
        answers = muxloop.run(ask(host, port), backend=backend)
    assert answers == [f"Hello, {number}!\n" for number in range(100)]


def test_uvicorn_takes_muxloop_by_name() -> None:
    pytest.importorskip("uvicorn")
    options = ["--loop", "muxloop:new_event_loop", "--port", "0"]
    program = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *options, "uvicorn_app:app"],
        cwd=EXAMPLES,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stderr is not None
        line = next(line for line in program.stderr if "running on" in line)
        address = line.split("http://")[1].split()[0]
        client = http.client.HTTPConnection(address)
        client.request("GET", "/uvicorn")
        assert client.getresponse().read() == b"Hello, uvicorn!\n"
        client.close()
    finally:
        program.send_signal(signal.SIGINT)
        program.communicate()
