"""What a subprocess is given, what is refused, and what stands in the way of watching it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loops_under_test import OURS, SELECTORS, opened, run_in_time
from muxloop import EventLoop

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' select watches no processes")

PIPE = subprocess.PIPE


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def descriptors() -> set[str]:
    return set(os.listdir("/dev/fd"))


async def output(*program: str, **options: Any) -> bytes:
    """What it writes; it has to end well."""
    process = await asyncio.create_subprocess_exec(*program, stdout=PIPE, **options)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return bytes(said)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("universal_newlines", True),
        ("text", True),
        ("encoding", "utf-8"),
        ("errors", "strict"),
        ("bufsize", 4096),
        ("bufsize", -1),
    ],
)
def test_what_is_for_text_or_buffers_is_refused(loop: EventLoop, keyword: str, value: object) -> None:
    for method, args in ((loop.subprocess_exec, ("true",)), (loop.subprocess_shell, ("true",))):
        start: Any = method
        with pytest.raises(ValueError, match=rf"subprocess_\w+\(\): {keyword} must be"):
            loop.run_until_complete(start(asyncio.SubprocessProtocol, *args, **{keyword: value}))


def test_each_of_the_two_says_which_takes_what(loop: EventLoop) -> None:
    run: Any = loop.run_until_complete
    start: Any = loop.subprocess_exec
    with pytest.raises(ValueError, match="shell must be False"):
        run(start(asyncio.SubprocessProtocol, "true", shell=True))
    start = loop.subprocess_shell
    with pytest.raises(ValueError, match="shell must be True"):
        run(start(asyncio.SubprocessProtocol, "true", shell=False))
    for wrong in (["true"], 123, None):
        with pytest.raises(ValueError, match="cmd must be"):
            run(start(asyncio.SubprocessProtocol, wrong))


@pytest.mark.parametrize(
    ("program", "options", "expected"),
    [
        (("no-such-program-anywhere",), {}, FileNotFoundError),
        (("/",), {}, PermissionError),
        (("true",), {"cwd": "/no/such/folder"}, FileNotFoundError),
        (("true",), {"no_such_keyword": 1}, TypeError),
        (("true", 1), {}, TypeError),
        ((None,), {}, TypeError),
        (("true",), {"stdin": "text"}, AttributeError),
        (("true",), {"preexec_fn": 5}, subprocess.SubprocessError),
        (("true",), {"pass_fds": [-1]}, ValueError),
        (("true",), {"process_group": "text"}, TypeError),
        (("true",), {"user": 1.5}, TypeError),
        (("true\0",), {}, ValueError),
    ],
)
def test_a_process_that_does_not_start_leaves_nothing(
    loop: EventLoop, program: tuple[Any, ...], options: dict[str, Any], expected: type[Exception]
) -> None:
    files: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE, **options}
    before = descriptors()
    if "user" in options:
        with pytest.raises(expected):
            subprocess.Popen(program, **files)
        if descriptors() != before:
            pytest.skip("this Python's own Popen leaves its pipes open when the user makes no sense")
    with pytest.raises(expected):
        loop.run_until_complete(asyncio.create_subprocess_exec(*program, **files))
    assert descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_popens_keywords_reach_popen(loop: EventLoop, tmp_path: Path) -> None:
    async def main() -> None:
        assert await output("pwd", cwd=tmp_path) == os.fsencode(tmp_path.resolve()) + b"\n"
        assert await output("/bin/sh", "-c", "echo $A", env={"A": "b"}) == b"b\n"
        assert await output("sh", "-c", "umask", umask=0o27) == b"0027\n"
        assert await output("not me", "-c", "echo $0", executable="/bin/sh") == b"not me\n"
        assert await output("echo", b"bytes") == b"bytes\n"  # type: ignore[arg-type]
        assert await output("cat", tmp_path / "file") == b"path\n"  # type: ignore[arg-type]
        session = "import os; print(os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid())"
        assert await output(sys.executable, "-c", session, start_new_session=True) == b"True True\n"
        assert await output(sys.executable, "-c", session, process_group=0) == b"False True\n"
        assert await output("sh", "-c", "echo $PWD", preexec_fn=lambda: os.chdir("/")) == b"/\n"
        reader, writer = os.pipe()
        os.write(writer, b"passed")
        os.close(writer)
        assert await output("cat", f"/dev/fd/{reader}", pass_fds=[reader]) == b"passed"
        os.close(reader)

    (tmp_path / "file").write_text("path\n")
    loop.run_until_complete(main())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root becomes others")
def test_another_user_and_group(loop: EventLoop) -> None:
    async def main() -> None:
        assert await output("id", "-u", user=1234) == b"1234\n"
        assert await output("id", "-g", group=4321) == b"4321\n"
        assert await output("id", "-G", group=4321, extra_groups=[5]) == b"4321 5\n"
        # It may not be ours to kill; whatever it says, nothing hangs.
        process = await asyncio.create_subprocess_exec("sleep", "1000", user=1234)
        process.kill()
        assert await process.wait() == -signal.SIGKILL

    loop.run_until_complete(main())


def test_files_for_its_ends(loop: EventLoop, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "said"
        with path.open("wb") as file:
            both = await asyncio.create_subprocess_shell(
                "cat; echo oh >&2; echo ah", stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )
            assert (both.stdin, both.stdout, both.stderr) == (None, None, None)
            assert await both.wait() == 0
        assert path.read_bytes() == b"oh\nah\n"

    loop.run_until_complete(main())


def test_a_pipeline(loop: EventLoop) -> None:
    """The one's output is the other's input; and its own input is a pipe of the loop's."""

    async def main() -> None:
        first_end, ours = os.pipe()
        second_end, first_out = os.pipe()
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, open(ours, "wb", buffering=0))  # noqa: SIM115
        first = await asyncio.create_subprocess_exec("cat", stdin=first_end, stdout=first_out)
        second = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=second_end, stdout=PIPE)
        for number in (first_end, second_end, first_out):
            os.close(number)
        writer.write(b"through both")
        writer.close()
        assert await second.communicate() == (b"THROUGH BOTH", None)
        assert await first.wait() == 0

    before = descriptors()
    loop.run_until_complete(main())
    assert descriptors() == before


def test_its_input_is_a_pipe_that_it_can_open(loop: EventLoop) -> None:
    """A socket could not be opened by name."""

    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", "/dev/stdin", stdin=PIPE, stdout=PIPE)
        assert await process.communicate(b"by name") == (b"by name", None)

    loop.run_until_complete(main())


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfds")
@pytest.mark.parametrize("obstacle", ["refused", "too high", "closed"])
def test_without_a_pidfd_a_thread_waits(
    loop: EventLoop, obstacle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_ones: list[int] = []
    open_pidfd = os.pidfd_open

    def opening(pid: int, flags: int = 0) -> int:
        if obstacle == "refused":
            raise PermissionError("a filter of system calls")
        pidfd = open_pidfd(pid, flags)
        if obstacle == "too high":
            pidfd = _moved(pidfd, 1500)
        opened_ones.append(pidfd)
        return pidfd

    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE)
        if obstacle == "closed":
            os.close(opened_ones.pop())
        assert process.stdin is not None
        process.stdin.close()
        # Whoever waits looks after its files; a timer makes it wait often.
        while process.returncode is None:
            await asyncio.sleep(0.001)
        assert process.returncode == 0

    monkeypatch.setattr(os, "pidfd_open", opening)
    before = descriptors()
    run_in_time(loop, main())
    assert descriptors() == before


def _moved(fd: int, number: int) -> int:
    import resource

    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= number:
        os.close(fd)
        raise OSError(f"this process may have no number {number}")
    os.dup2(fd, number, inheritable=False)
    os.close(fd)
    return number


@pytest.mark.parametrize("selector", OURS)
def test_a_forked_process_that_closes_the_loop_does_not_disturb_it(selector: str) -> None:
    for loop in opened(selector):

        async def main(loop: EventLoop = loop) -> None:
            process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # pytest-xdist has threads
                forked = os.fork()
            if forked == 0:
                try:
                    process._transport.close()  # type: ignore[attr-defined]
                    loop.close()
                finally:
                    os._exit(0)
            assert os.waitpid(forked, 0) == (forked, 0)
            assert await process.communicate(b"undisturbed") == (b"undisturbed", None)
            assert process.returncode == 0

        run_in_time(loop, main())
