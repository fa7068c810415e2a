"""The programs of examples/ print what they promise, on every backend and on plain asyncio."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from example_runs import EXAMPLES, RUNNERS, command, complaints, docstring, promised, started
from muxloop.conformance.tolerance import tolerance
from redis_servers import redis_server
from wine import ON_WINE

NEEDS = {
    "aiohttp_and_flask.py": ("aiohttp", "flask"),
    "coroutine_basics.py": (),
    "executors.py": (),
    "fastapi_primitives.py": ("aiohttp", "fastapi", "uvicorn"),
    "loop_in_thread.py": (),
    "processes_beside_a_loop.py": (),
    "producer_consumer.py": (),
    "subprocess_pipeline.py": (),
    "tls_echo.py": (),
    "tornado_handler.py": ("tornado",),
    "udp_echo.py": (),
    "unix_chat.py": (),
}
"""Those that end by themselves, and the packages that they import."""

ON_WINDOWS_NOT = {
    "processes_beside_a_loop.py": "Windows can neither fork nor watch a pipe",
    "subprocess_pipeline.py": "a loop on select has no subprocesses on Windows",
    "unix_chat.py": "Windows has no Unix sockets",
}

ON_WINE_NOT = {
    "fastapi_primitives.py": "Wine 8 lacks a library that pydantic is linked to",
    "udp_echo.py": "select() of Wine tells nobody that a port is closed",
}

GEVENT_EXAMPLE = "gevent_pool.py"
GEVENT = "GEVENT_LOOP=muxloop.integrations.gevent.Loop python"
"""What runs it on a loop of ours; `test_integrations_gevent.py` does."""

IN_THE_FOLDER = sorted(path.name for path in EXAMPLES.glob("*.py"))


def printed(example: str, runner: str, *arguments: str) -> str:
    """What an example prints, which must end well and complain of nothing."""
    done = subprocess.run(
        command(example, runner, *arguments),
        capture_output=True,
        text=True,
        timeout=60 * tolerance(),
        check=False,
    )
    assert (done.returncode, complaints(done.stderr)) == (0, "")
    return done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("example", NEEDS)
def test_it_prints_what_it_promises(example: str, runner: str) -> None:
    if sys.platform == "win32" and example in ON_WINDOWS_NOT:
        pytest.skip(ON_WINDOWS_NOT[example])
    if ON_WINE and example in ON_WINE_NOT:
        pytest.skip(ON_WINE_NOT[example])
    missing = [package for package in NEEDS[example] if find_spec(package) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    assert printed(example, runner) == promised(example)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield f"{url}/0"


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("example", ["redis_asyncio_workers.py", "redis_workers.py"])
def test_workers_share_the_jobs_in_redis(example: str, runner: str, redis_url: str) -> None:
    assert printed(example, runner, "--url", redis_url) == promised(example)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
@pytest.mark.parametrize("runner", RUNNERS)
def test_control_c_lets_everybody_clean_up(runner: str) -> None:
    program = started("ctrl_c.py", runner)
    try:
        assert program.stdout is not None
        ready = program.stdout.readline()
        program.send_signal(signal.SIGINT)
        rest, errors = program.communicate(timeout=60)
    finally:
        program.kill()
    assert (program.returncode, complaints(errors)) == (0, "")
    lines, expected = (ready + rest).splitlines(), promised("ctrl_c.py").splitlines()
    assert sorted(lines) == sorted(expected)
    assert (lines[0], lines[-2:]) == (expected[0], expected[-2:])


@pytest.mark.parametrize("example", IN_THE_FOLDER)
def test_it_says_how_to_run_it(example: str) -> None:
    start = GEVENT if example == GEVENT_EXAMPLE else "python -m muxloop run"
    assert re.search(rf"^    {start} examples/{re.escape(example)}( |$)", docstring(example), re.M)


def test_the_list_of_examples_is_the_folder() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(.+)\]\(\1\) \| .+ \|$", text, re.M) == IN_THE_FOLDER
