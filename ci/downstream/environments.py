"""The virtual environment and the sources of a suite, made once and kept in ``.downstream/NAME``.

An sdist is fetched by pip alone. pip builds its metadata on the way, and nothing more: the package itself is
installed as the wheel that its users have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path

from suites import Suite

ROOT = Path(__file__).parents[2]
_PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
_building = threading.Lock()
"""An editable installation writes into the repository: one at a time."""


class SetUpError(Exception):
    """What a suite needs cannot be had."""


@dataclass
class Environment:
    """Where a suite's tests are and what runs them."""

    python: Path
    source: Path
    version: str


def environment_of(suite: Suite, folder: Path, log: Path) -> Environment:
    """Make or find it in ``folder``. SetUpError, with the reason in one line, if that fails."""
    interpreter = _interpreter(suite)
    commands = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = commands / ("python.exe" if os.name == "nt" else "python")
    version = suite.version or _answer(interpreter, "import platform; print(platform.python_version())")
    wanted = contents_of(suite, interpreter, version)
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run([interpreter, "-m", "venv", str(folder / "venv")], log)
        with _building:
            _run([str(python), *_PIP, "install", "--no-deps", "-e", str(ROOT)], log)
        if not suite.is_cpython:
            requirement = f"{suite.distribution}=={suite.version}"
            _run([str(python), *_PIP, "install", requirement, *suite.requirements], log)
            _fetch(suite, python, folder / "source", log)
        stamp.write_text(wanted, encoding="utf-8")
    return Environment(python, folder if suite.is_cpython else folder / "source", version)


def contents_of(suite: Suite, interpreter: str, version: str) -> str:
    """Everything that would make what was set up earlier the wrong thing."""
    return "\n".join([interpreter, str(ROOT), version, *suite.requirements])


def _fetch(suite: Suite, python: Path, source: Path, log: Path) -> None:
    """Put what is in the sdist into ``source``."""
    fetched = source.with_name("sdist")
    command = ["download", "--no-deps", "--no-binary", suite.distribution, "-d", str(fetched)]
    _run([str(python), *_PIP, *command, f"{suite.distribution}=={suite.version}"], log)
    (archive,) = fetched.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(fetched, filter="data")
    (unpacked,) = (path for path in fetched.iterdir() if path.is_dir())
    unpacked.rename(source)


def _interpreter(suite: Suite) -> str:
    """The command of a CPython of the suite's version; the one that has its own tests, where these are it."""
    version = suite.python
    needed = "sys, test.test_asyncio" if suite.is_cpython else "sys"
    tell_version = f"import {needed}; print('{{}}.{{}}'.format(*sys.version_info))"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [sys.executable, f"python{version}"]
    candidates += [str(path / "bin" / "python") for path in sorted(pyenv.glob(f"versions/{version}.*"))]
    for candidate in candidates:
        found = shutil.which(candidate)
        if found and _answer(found, tell_version) == version:
            return _answer(found, "import sys; print(sys.executable)")
    what = " that has its own tests (test.test_asyncio)" if suite.is_cpython else ""
    raise SetUpError(f"no python{version}{what}; install one")


def _answer(interpreter: str, code: str) -> str:
    """What the code prints there; nothing if it fails."""
    run = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=False)
    return run.stdout.strip()


def _run(command: list[str], log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False
        ).returncode
    if code:
        raise SetUpError(f"{' '.join(command)}: exit code {code}")
