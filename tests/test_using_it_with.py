"""Every block of docs/using-it-with.md brings muxloop's loop into the program that it is for."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest
from pages import blocks_of, printed_by, text_of

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the commands are those of a POSIX shell"),
    pytest.mark.timeout(110),
]

PAGE = "docs/using-it-with.md"

APP = """
import asyncio


async def app(scope, receive, send):
    assert scope["type"] == "http"
    kind = type(asyncio.get_running_loop())
    body = f"{kind.__module__}.{kind.__qualname__}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
"""

THE_LOOP = "muxloop.loop.event_loop.EventLoop"


def need(*modules: str) -> None:
    """Skip where a package of the block is not installed."""
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"needs {module}, which is not installed; ci/tox.sh -e using-it-with has it")


def block(language: str, text: str) -> str:
    """The one block of the page in that language which holds the text."""
    (found,) = [block for block in blocks_of(PAGE, language) if text in block]
    return found


def installed(line: str) -> list[str]:
    """The line of the page as a command that runs this interpreter's packages, and no others of that name."""
    program, *words = shlex.split(line)
    return [sys.executable, "-P", "-m", program, *words]


@contextmanager
def serving(folder: Path, command: list[str]) -> Iterator[int]:
    """The port on which the command serves; it listens as soon as it accepts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [word.replace("PORT", str(port)) for word in command]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if str(port) in line:
                    break
            else:
                pytest.fail(f"{command} ended without serving")
            yield port
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.stdout.read()


def answered(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def test_every_block_is_tested() -> None:
    fences = re.findall(r"^```(\w+)$", text_of(PAGE), re.MULTILINE)
    assert sorted(fences) == ["json", *["python"] * 6, *["sh"] * 4]


def test_uvicorn(tmp_path: Path) -> None:
    need("uvicorn")
    (tmp_path / "app.py").write_text(APP)
    command = [*installed(block("sh", "uvicorn app:app")), "--port", "PORT"]
    with serving(tmp_path, command) as port:
        assert answered(port) == THE_LOOP


def test_gunicorn(tmp_path: Path) -> None:
    need("gunicorn", "uvicorn_worker")
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "muxloop_worker.py").write_text(block("python", "UvicornWorker"))
    command = [*installed(block("sh", "gunicorn")), "--bind", "127.0.0.1:PORT"]
    with serving(tmp_path, command) as port:
        assert answered(port) == THE_LOOP


def test_hypercorn(tmp_path: Path) -> None:
    need("hypercorn")
    (tmp_path / "app.py").write_text(APP)
    command = [*installed(block("sh", "hypercorn")), "--bind", "127.0.0.1:PORT"]
    with serving(tmp_path, command) as port:
        assert answered(port) == THE_LOOP


def test_aiohttp(tmp_path: Path) -> None:
    need("aiohttp")
    given = block("python", "run_app")
    # An application to ask, and a port for the test.
    text = given.replace(
        "web.run_app(web.Application(),", f"{AIOHTTP}\nweb.run_app(app, port=int(sys.argv[1]),"
    )
    assert text != given
    (tmp_path / "program.py").write_text(text)
    with serving(tmp_path, [sys.executable, "-u", "program.py", "PORT"]) as port:
        assert answered(port) == THE_LOOP


AIOHTTP = """
import asyncio
import sys


async def tell(request):
    kind = type(asyncio.get_running_loop())
    return web.Response(text=f"{kind.__module__}.{kind.__qualname__}", headers={"Connection": "close"})


app = web.Application()
app.router.add_get("/", tell)
"""


def test_tornado(tmp_path: Path) -> None:
    need("tornado")
    (tmp_path / "program.py").write_text(block("python", "tornado"))
    assert printed_by(tmp_path / "program.py").startswith("<EventLoop ")


def test_anyio(tmp_path: Path) -> None:
    need("anyio")
    text = block("python", "anyio.run(").replace("anyio.sleep, 0", "tell")
    tell = "import asyncio\n\nasync def tell():\n    print(asyncio.get_running_loop())\n\n"
    (tmp_path / "program.py").write_text(tell + text)
    assert printed_by(tmp_path / "program.py").startswith("<EventLoop ")


TESTED = f"""
    import asyncio
    kind = type(asyncio.get_running_loop())
    assert f"{{kind.__module__}}.{{kind.__qualname__}}" == "{THE_LOOP}"
"""


def test_anyios_plugin_for_pytest(tmp_path: Path) -> None:
    need("anyio")
    text = block("python", "anyio_backend").replace("    await anyio.sleep(0)\n", TESTED)
    assert "running_loop" in text
    (tmp_path / "test_program.py").write_text(text)
    printed = printed_by(tmp_path / "test_program.py", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed" in printed


def test_pytest_asyncio(tmp_path: Path) -> None:
    need("pytest_asyncio")
    (tmp_path / "conftest.py").write_text(block("python", "pytest_asyncio_loop_factories"))
    text = f"import pytest\n\n@pytest.mark.asyncio\nasync def test_it():\n{TESTED}"
    (tmp_path / "test_program.py").write_text(text)
    printed = printed_by(tmp_path / "test_program.py", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed" in printed


IPYTHON = """
import asyncio
async def tell():
    return type(asyncio.get_running_loop())
print(await tell())
"""


def test_ipython(tmp_path: Path) -> None:
    need("IPython")
    told = subprocess.run(
        [*installed(block("sh", "IPython")), "--quick", "--colors=NoColor", "-c", IPYTHON],
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONSTARTUP": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert THE_LOOP in told.stdout


JUPYTER = """
import sys
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

specs = KernelSpecManager(kernel_dirs=[sys.argv[1]], ensure_native_kernel=False)
manager = KernelManager(kernel_name="muxloop", kernel_spec_manager=specs)
manager.start_kernel()
client = manager.client()
client.start_channels()
try:
    client.wait_for_ready(timeout=60)
    said = []
    client.execute_interactive(
        "import asyncio; print(type(asyncio.get_running_loop()))",
        timeout=60,
        output_hook=lambda message: said.append(str(message["content"])),
    )
    print("".join(said))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


def test_jupyter(tmp_path: Path) -> None:
    need("ipykernel", "jupyter_client")
    spec = json.loads(block("json", "ipykernel_launcher"))
    assert spec["argv"][0] == "python"
    spec["argv"][0] = sys.executable
    (tmp_path / "muxloop").mkdir()
    (tmp_path / "muxloop" / "kernel.json").write_text(json.dumps(spec))
    told = subprocess.run(
        [sys.executable, "-c", JUPYTER, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert THE_LOOP in told.stdout
