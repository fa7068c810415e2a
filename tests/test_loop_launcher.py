"""Running unchanged programs on muxloop as ``python`` runs them."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from loops_under_test import OURS
from muxloop.errors import UsageError
from muxloop.loop.launcher import run_program

LAUNCH = (
    "import sys; from muxloop.loop.launcher import run_program; "
    "run_program({0!r}, is_module={1}, arguments=sys.argv[1:], backend={2!r})"
)


def launch(
    target: object, *arguments: str, module: bool = False, backend: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    code = LAUNCH.format(str(target), module, backend)
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def python(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same without muxloop."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )


@pytest.mark.parametrize("backend", [None, *OURS])
def test_every_way_to_a_loop_leads_to_ours(tmp_path: Path, backend: str | None) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio\n"
        "async def kind():\n"
        "    return repr(asyncio.get_running_loop())\n"
        "print(asyncio.run(kind()))\n"
        "with asyncio.Runner() as runner: print(runner.run(kind()))\n"
        "loop = asyncio.new_event_loop(); print(repr(loop))\n"
        "asyncio.set_event_loop(loop); assert asyncio.get_event_loop() is loop\n"
        "loop.close()\n"
    )
    done = launch(script, backend=backend)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("<EventLoop") and (backend or "") in line for line in lines)


@pytest.mark.parametrize(
    "method",
    [
        method
        for method in ("fork", "spawn", "forkserver")
        if method in multiprocessing.get_all_start_methods()
    ],
)
def test_processes_of_the_program_and_theirs_run_on_the_same_backend(tmp_path: Path, method: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, multiprocessing, sys\n"
        "def child(method, depth):\n"
        "    loop = asyncio.new_event_loop()\n"
        "    print(depth, repr(loop), flush=True)\n"
        "    loop.close()\n"
        "    if depth: start(method, depth - 1)\n"
        "def start(method, depth):\n"
        "    process = multiprocessing.get_context(method).Process(target=child, args=(method, depth))\n"
        "    process.start(); process.join(); assert process.exitcode == 0\n"
        "if __name__ == '__main__': start(sys.argv[1], 1)\n"
    )
    done = launch(script, method, backend="select")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line[:12] for line in lines] == ["1 <EventLoop", "0 <EventLoop"]
    assert all("select" in line for line in lines)


def test_a_script_sees_what_python_shows_it(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("name = __name__\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, neighbour, __main__\n"
        "print(sys.argv, __name__, __file__, sys.path[0], neighbour.name, __main__.__file__ == __file__,\n"
        "      __spec__, __package__, __doc__, sorted(name for name in globals() if name[0] != '_'))\n"
    )
    assert launch(script, "one", "--two").stdout == python(script, "one", "--two").stdout


def test_a_module_sees_what_python_shows_it(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import sys; print(sys.argv, sys.path[0], __name__, __spec__.name)\n"
    )
    done = launch("package", "one", module=True, cwd=tmp_path)
    assert done.stdout == python("-m", "package", "one", cwd=tmp_path).stdout != ""


@pytest.mark.parametrize(
    "source",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit('words')",
        "1 / 0",
        "def f():\n  1 / 0\nf()",
        "1 +",
        "raise KeyboardInterrupt",
    ],
)
def test_exit_codes_and_tracebacks_are_python_s(tmp_path: Path, source: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(source)
    ours, theirs = launch(script), python(script)
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


@pytest.mark.parametrize("name", ["no_such_module", "no_such.module", "json.no_such", "xml"])
def test_a_missing_module_is_one_line(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        run_program(name, is_module=True, arguments=[], backend=None)


def test_a_missing_script_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        run_program(str(tmp_path / "missing.py"), is_module=False, arguments=[], backend=None)


def test_an_unavailable_backend_is_told_before_anything_runs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('ran')")
    done = launch(script, backend="nonsense")
    assert done.stdout == ""
    assert "nonsense" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_control_c_ends_a_program_as_python_ends_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio\n"
        "async def main():\n"
        "    print('ready', flush=True)\n"
        "    try:\n"
        "        await asyncio.sleep(3600)\n"
        "    finally:\n"
        "        print('cleaned up', flush=True)\n"
        "asyncio.run(main())\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", LAUNCH.format(str(script), False, None)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    program.send_signal(signal.SIGINT)
    out, err = program.communicate()
    assert out == "cleaned up\n"
    assert program.returncode == -signal.SIGINT
    assert err.endswith("KeyboardInterrupt\n")
