"""The repository root is the package: what that demands of the folders, the metadata and the archives."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from build_tools import need_setuptools
from source_tree import ROOT, ROOT_MODULES, package_folders, shipped_files, top_folders
from wine import ON_WINE

SOURCED = {"debian.sh"}
"""The scripts in ci/ that others read in, and nobody runs."""

BUILD = """
import sys
from setuptools import build_meta
folder = sys.argv[1]  # setuptools puts arguments of its own there
build_meta.build_wheel(folder)
build_meta.build_sdist(folder)
"""


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@dataclass
class Archives:
    wheel: set[str]
    sdist: set[str]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The names in a wheel and an sdist, built from a copy: what an earlier build left must not count."""
    if ON_WINE:
        pytest.skip(
            "Wine 8 lacks CopyFile2, by which setuptools copies; the archives are the same everywhere"
        )
    need_setuptools()
    folder = tmp_path_factory.mktemp("archives")
    source, built = folder / "source", folder / "built"
    ours = {top.name for top in top_folders()}
    ours |= {".ci", ".github", "action", "ci", "docs", "examples", "findings", "tests"}

    def foreign(where: str, names: list[str]) -> list[str]:
        if Path(where) != ROOT:
            return [name for name in names if name == "__pycache__"]
        return [name for name in names if (ROOT / name).is_dir() and name not in ours]

    shutil.copytree(ROOT, source, ignore=foreign)
    built.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", BUILD, built], cwd=source, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    (wheel,) = built.glob("*.whl")
    (sdist,) = built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened_wheel, tarfile.open(sdist) as opened_sdist:
        # Every name in an sdist starts with a folder named for the release.
        return Archives(
            set(opened_wheel.namelist()),
            {member.name.partition("/")[2] for member in opened_sdist.getmembers() if member.isfile()},
        )


def test_the_list_of_packages_is_the_folders(metadata: dict[str, Any]) -> None:
    listed = metadata["tool"]["setuptools"]["packages"]
    folders = [".".join(("muxloop", *folder.relative_to(ROOT).parts)) for folder in package_folders()]
    assert sorted(listed) == ["muxloop", *folders]
    assert metadata["tool"]["setuptools"]["package-dir"] == {"muxloop": "."}


def test_the_root_holds_no_stray_module() -> None:
    assert {path.name for path in ROOT.glob("*.py")} <= ROOT_MODULES


def test_the_wheel_holds_exactly_the_packages(archives: Archives) -> None:
    shipped = {name for name in archives.wheel if ".dist-info/" not in name}
    assert shipped == {f"muxloop/{path.as_posix()}" for path in shipped_files()}


def test_the_wheel_is_typed_and_licensed(archives: Archives) -> None:
    assert "muxloop/py.typed" in archives.wheel
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in archives.wheel)


def test_the_sdist_can_be_tested_and_built_from(archives: Archives) -> None:
    folders = [ROOT / name for name in ("ci", "examples", "findings", "tests")]
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }
    wanted = {name for name in wanted if "__pycache__" not in name}
    wanted |= {path.as_posix() for path in shipped_files()}
    wanted |= {"CONTRIBUTING.md", "LICENSE", "pyproject.toml", "tox.ini", ".ci/run"}
    assert wanted <= archives.sdist


def test_the_sdist_holds_nothing_compiled(archives: Archives) -> None:
    assert not [name for name in archives.sdist if name.endswith((".pyc", ".pyo", ".so"))]


def test_tox_and_the_script_run_the_same_test_command() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    command = tox["testenv"]["commands"].strip().removesuffix("{posargs}").split()
    script = (ROOT / "ci" / "test.sh").read_text(encoding="utf-8")
    ran = re.search(r'^exec "\$commands/(.+) "\$@"$', script, re.MULTILINE)
    assert ran, script
    assert command == ran[1].replace('"', "").split()


@pytest.mark.parametrize(
    "path",
    [*sorted(path for path in (ROOT / "ci").rglob("*.sh") if path.name not in SOURCED), ROOT / ".ci" / "run"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_a_script_can_be_run_and_stops_at_the_first_error(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    if os.name == "posix":
        assert path.stat().st_mode & stat.S_IXUSR


@pytest.mark.skipif(
    os.name != "posix" or not shutil.which("bash"), reason="needs bash and a POSIX file system"
)
def test_an_interpreter_that_is_too_old_is_refused_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    shutil.copytree(ROOT / "ci", tmp_path / "clone" / "ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "clone")
    run = subprocess.run(
        [tmp_path / "clone" / "ci" / "test.sh"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert f"no Python 3.11 or later at PYTHON={old}" in line
    assert not (tmp_path / "clone" / ".venv").exists()
