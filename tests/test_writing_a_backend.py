"""docs/writing-a-backend.md leads to a backend that works: each of its blocks is run as it stands."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from build_tools import need_setuptools
from muxloop.selectors_impl.blank import BlankSelector
from pages import ROOT, blocks_of, text_of

PAGE = "docs/writing-a-backend.md"
PACKAGE = ROOT / "tests" / "third_party_backend"
SHELL = re.findall(r"^```sh\n(.*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)

# A real program: a server and its clients, timers, a thread.
PROGRAM = """
import asyncio


async def serve(reader, writer):
    writer.write((await reader.read()).upper())
    writer.close()


async def ask(port, message):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(message)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        answers = await asyncio.gather(*(ask(port, b"%d bottles" % number) for number in range(20)))
    await asyncio.sleep(0.01)
    print(await asyncio.to_thread(b" ".join, answers[:2]), asyncio.get_running_loop())


asyncio.run(main())
"""
PRINTED = "b'0 BOTTLES 1 BOTTLES' <EventLoop running=True closed=False debug=False selector=rota>\n"

needs_a_shell = pytest.mark.skipif(os.name != "posix", reason="the page's commands are for a POSIX shell")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A porter's folder, with commands that a porter has installed, and no network."""
    work = tmp_path / "work"
    ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
    shutil.copytree(PACKAGE, work, ignore=ignored, copy_function=shutil.copyfile)  # Wine 8 has no other
    (work / "app.py").write_text(PROGRAM)
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("muxloop", "pip"):
        # -P: a command does not find modules of the current folder, unlike `python -m`.
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m {name} "$@"\n')
        (commands / name).chmod(0o755)
    return work


def shell(folder: Path, commands: str) -> str:
    """What the commands print; all must succeed. What pip installs goes to a folder on the module path."""
    site = folder.parent / "site"
    environment = {
        **os.environ,
        "PATH": f"{folder.parent / 'commands'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")])),
        "PIP_TARGET": str(site),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of build_isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for name in ("MUXLOOP_BACKEND", "MUXLOOP_DEBUG_SELECTOR"):
        environment.pop(name, None)
    done = subprocess.run(
        ["sh", "-eu", "-c", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_few_rules(commands: str) -> str:
    """A few rules stand for all: what is tested is the page."""
    return commands.replace("--profile quick", "--profile quick --rules 'SEL-0[1-5],IO-01'")


def test_every_block_is_tested() -> None:
    assert (len(blocks_of(PAGE)), len(SHELL)) == (5, 4)


def test_the_page_shows_the_package() -> None:
    *module, _ = blocks_of(PAGE)
    assert "\n".join(module) == (PACKAGE / "muxloop_rota.py").read_text(encoding="utf-8")
    (metadata,) = re.findall(r"^```toml\n(.*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)
    assert metadata == (PACKAGE / "pyproject.toml").read_text(encoding="utf-8")


def test_every_member_of_the_blank_form_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)", text_of(PAGE), re.MULTILINE))
    members = {name for name in vars(BlankSelector) if name[:2] != "__" and not name.startswith("_abc_")}
    assert members < explained


@needs_a_shell
def test_the_class_is_tried_before_it_is_installed(folder: Path) -> None:
    listing, judging, watching, _ = SHELL
    path = "export PYTHONPATH=.\n"
    assert listing.startswith(path)
    assert re.search(
        "muxloop_rota:RotaSelector +available +from muxloop_rota +.default", shell(folder, listing)
    )
    told = shell(folder, path + with_few_rules(judging))
    assert re.findall(r"(\S+) holds", told) == [
        "selector:muxloop_rota:RotaSelector",
        "muxloop@muxloop_rota:RotaSelector",
    ]
    assert shell(folder, path + watching) == PRINTED


@needs_a_shell
def test_the_pytest_file_that_judges_it(folder: Path) -> None:
    (folder / "test_rota.py").write_text(blocks_of(PAGE)[-1])
    (folder.parent / "commands" / "pytest").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m pytest -q -p no:cacheprovider "$@"\n'
    )
    (folder.parent / "commands" / "pytest").chmod(0o755)
    assert "1 passed" in shell(folder, "export PYTHONPATH=.\npytest test_rota.py -k SEL-01")


@needs_a_shell
@pytest.mark.skipif(find_spec("pip") is None, reason="this Python has no pip")
def test_the_package_is_installed_and_chosen_by_name(folder: Path) -> None:
    need_setuptools()
    printed = shell(folder, with_few_rules(SHELL[-1]))
    assert re.search(r"^rota +available +from muxloop-rota 1\.0$", printed, re.MULTILINE)
    assert PRINTED in printed
    assert "selector:rota holds" in printed
    listed = json.loads(shell(folder, "MUXLOOP_BACKEND=rota muxloop backends --json"))
    assert [backend for backend in listed if backend["default"]] == [
        {
            "name": "rota",
            "available": True,
            "reason": None,
            "source": "muxloop-rota",
            "version": "1.0",
            "default": True,
        }
    ]


def test_who_was_served_longest_ago_is_first() -> None:
    if not hasattr(select, "poll"):
        pytest.skip("select has no poll")
    spec = importlib.util.spec_from_file_location("muxloop_rota", PACKAGE / "muxloop_rota.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pairs = [socket.socketpair() for _ in range(3)]
    with module.RotaSelector() as selector:
        busy, quiet, late = (ours for ours, _ in pairs)
        selector.register(busy, EVENT_WRITE)
        selector.register(quiet, EVENT_READ)
        assert [key.fileobj for key, _ in selector.select()] == [busy]
        pairs[1][1].send(b"x")
        assert [key.fileobj for key, _ in selector.select()] == [quiet, busy]
        selector.register(late, EVENT_WRITE)
        assert selector.select()[0][0].fileobj is late
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
