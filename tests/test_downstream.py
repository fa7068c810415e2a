"""Other people's test suites are judged as they are declared, and only where they ran on our loop."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from source_tree import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="suites are set up in POSIX environments")

SCRIPT = ROOT / "ci" / "downstream"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

ON_THE_LOOP = """
import asyncio, sys

def test_passes():
    asyncio.run(asyncio.sleep(0))

def test_fails():
    asyncio.run(asyncio.sleep(0))
    assert False, "as it is known to"

def test_without_a_loop():
    pass
"""

DECLARED = """
[[miss]]
kind = "another loop"
reason = "it knows no other"
tests = ["test_theirs.py::test_fails"]
"""


@dataclass
class Downstream:
    """The command, with one suite that needs no network: it was set up before, as the stamp says."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def suite(self, tests: str, declared: str = "", name: str = "theirs") -> None:
        (self.folder / "suites").mkdir(exist_ok=True)
        text = f'python = "{PYTHON}"\nversion = "1.2.3"\narguments = ["test_theirs.py"]\n{declared}'
        (self.folder / "suites" / f"{name}.toml").write_text(text, encoding="utf-8")
        own = self.folder / "kept" / name
        (own / "source").mkdir(parents=True)
        (own / "source" / "test_theirs.py").write_text(tests, encoding="utf-8")
        python = own / "venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        (own / "installed").write_text("\n".join([sys.executable, str(ROOT), "1.2.3"]), encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        folders = ["--suites", str(self.folder / "suites"), "--keep", str(self.folder / "kept")]
        return subprocess.run(
            [sys.executable, SCRIPT, *folders, *(arguments or ["theirs"])],
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self, name: str = "theirs") -> str:
        return (self.folder / "kept" / f"{name}.log").read_text(encoding="utf-8")


@pytest.fixture
def downstream(tmp_path: Path) -> Downstream:
    return Downstream(tmp_path)


def complaint(run: subprocess.CompletedProcess[str]) -> str:
    """The one line of a run that failed."""
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    return line


def test_a_suite_as_declared_is_one_line(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP, DECLARED)
    run = downstream.run()
    assert (run.returncode, run.stdout, run.stderr) == (0, "theirs 1.2.3: 1 passed, 1 declared\n", "")


def test_a_failure_that_is_not_declared_fails_the_suite(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP)
    line = complaint(downstream.run())
    assert line.startswith(
        "ci/downstream.sh: theirs 1.2.3: test_theirs.py::test_fails failed and is not decl"
    )
    assert line.endswith(f"; read {downstream.folder / 'kept' / 'theirs.log'}")
    assert "as it is known to" in downstream.log()


def test_a_declared_failure_that_passes_fails_the_suite(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP.replace("assert False", "assert True"), DECLARED)
    assert "test_fails is declared (another loop: it knows no other) and passed;" in complaint(
        downstream.run()
    )


def test_a_declared_failure_may_pass_sometimes(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP.replace("assert False", "assert True"), DECLARED + "sometimes = true\n")
    assert downstream.run().stdout == "theirs 1.2.3: 2 passed, 1 declared\n"


def test_a_declared_failure_that_is_skipped_fails_the_suite(downstream: Downstream) -> None:
    skipping = ON_THE_LOOP.replace("assert False", "import pytest; pytest.skip('not today')")
    downstream.suite(skipping, DECLARED)
    assert "test_fails is declared (another loop: it knows no other) and skipped;" in complaint(
        downstream.run()
    )


def test_a_declared_test_that_does_not_exist_fails_the_suite(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP.replace("def test_fails", "def tidy"), DECLARED)
    assert "test_fails is declared and is not among the tests;" in complaint(downstream.run())


def test_what_would_hang_is_left_out(downstream: Downstream) -> None:
    hanging = ON_THE_LOOP.replace("assert False", "import time; time.sleep(9999)")
    downstream.suite(hanging, DECLARED + "run = false\n")
    assert downstream.run().stdout == "theirs 1.2.3: 1 passed, 1 declared\n"


def test_a_failure_that_does_not_come_again_is_no_failure(downstream: Downstream) -> None:
    once = "import pathlib\n    first = pathlib.Path('first')\n    was = first.exists()\n    first.touch()\n"
    downstream.suite(ON_THE_LOOP.replace("assert False", f"{once}    assert was"))
    run = downstream.run()
    assert (run.returncode, run.stdout) == (0, "theirs 1.2.3: 2 passed, 0 declared\n")
    assert "test_fails passed only the second time" in downstream.log()


def test_a_test_that_fails_while_it_is_torn_down_fails(downstream: Downstream) -> None:
    torn = "import pytest\n@pytest.fixture\ndef torn():\n    yield\n    assert False\n"
    downstream.suite(torn + ON_THE_LOOP.replace("test_passes()", "test_passes(torn)"), DECLARED)
    assert "test_passes failed and is not declared" in complaint(downstream.run())


def test_a_file_that_cannot_be_imported_fails_the_suite(downstream: Downstream) -> None:
    downstream.suite("import nothing_of_that_name")
    assert "test_theirs.py failed and is not declared" in complaint(downstream.run())


def test_a_suite_that_ran_no_test_fails(downstream: Downstream) -> None:
    downstream.suite("")
    assert ": ran no test; read" in complaint(downstream.run())


def test_a_suite_that_breaks_off_fails_with_the_last_test(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP.replace("assert False", "import os; os._exit(0)"))
    assert ": broke off; the last test that ended is test_theirs.py::test_passes; " in complaint(
        downstream.run()
    )


def test_a_suite_that_did_not_run_on_muxloop_fails(downstream: Downstream) -> None:
    downstream.suite("def test_without_a_loop(): pass\n")
    assert "did not run on muxloop" in complaint(downstream.run())


OTHER_LOOP = """
import asyncio

def test_ours():
    asyncio.run(asyncio.sleep(0))

def test_another():
    class Other(asyncio.unix_events._UnixSelectorEventLoop):
        pass
    loop = Other()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
"""


def test_a_loop_that_is_not_ours_fails_the_suite(downstream: Downstream) -> None:
    downstream.suite(OTHER_LOOP)
    line = complaint(downstream.run())
    assert "ran other loops, too: test_theirs.test_another.<locals>.Other;" in line


def test_a_loop_that_is_expected_beside_ours_is_not_counted(downstream: Downstream) -> None:
    downstream.suite(OTHER_LOOP, '[other_loops]\n"test_theirs.test_another.<locals>.Other" = "their own"\n')
    assert downstream.run().stdout == "theirs 1.2.3: 1 passed, 0 declared\n"


WHICH_LOOP = """
import asyncio, selectors

def test_the_policys():
    assert kind(asyncio.new_event_loop()) == "muxloop"

def test_the_selector_loop():
    assert kind(asyncio.SelectorEventLoop()) == "muxloop"
    assert kind(asyncio.SelectorEventLoop(selectors.PollSelector())) == "muxloop"

def test_the_default_policys():
    asyncio.set_event_loop_policy(None)
    assert kind(asyncio.new_event_loop()) == "muxloop"

def kind(loop):
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    return "muxloop" if "muxloop" in [c.__module__.split(".")[0] for c in type(loop).mro()] else "another"
"""


def test_every_way_to_asyncios_loop_leads_to_ours(downstream: Downstream) -> None:
    downstream.suite(WHICH_LOOP)
    run = downstream.run()
    assert run.stdout == "theirs 1.2.3: 3 passed, 0 declared\n", downstream.log()


def test_on_asyncio_what_is_declared_for_muxloop_has_to_pass(downstream: Downstream) -> None:
    only_there = "'muxloop' not in asyncio.get_event_loop_policy().__module__"
    downstream.suite(ON_THE_LOOP.replace("assert False", f"assert {only_there}"), DECLARED)
    assert downstream.run().returncode == 0
    run = downstream.run("--loop", "asyncio", "theirs")
    assert (run.stdout, run.stderr) == ("theirs 1.2.3: 2 passed, 0 declared\n", "")


def test_on_asyncio_what_is_declared_to_fail_there_has_to_fail(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP, DECLARED.replace("another loop", "fails on asyncio too"))
    assert downstream.run("--loop", "asyncio", "theirs").stdout == "theirs 1.2.3: 1 passed, 1 declared\n"
    downstream.suite(ON_THE_LOOP, DECLARED, name="ours")
    assert "test_fails failed and is not declared" in complaint(downstream.run("--loop", "asyncio", "ours"))


def test_the_table_and_the_lines_of_all_suites(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP, DECLARED, name="b")
    downstream.suite(ON_THE_LOOP, name="a")
    table = downstream.folder / "table.md"
    run = downstream.run("--markdown", str(table), "all")
    assert run.returncode == 1
    assert run.stdout == "b 1.2.3: 1 passed, 1 declared\n"
    header, _, first, second = table.read_text(encoding="utf-8").splitlines()
    assert header == "| suite | version | passed | declared |"
    assert first.startswith("| a | 1.2.3 | 1 | test_theirs.py::test_fails failed and is not declared")
    assert second == "| b | 1.2.3 | 1 | 1 |"
    assert downstream.run("--list").stdout == "a\nb\n"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            '[[miss]]\nkind = "mood"\nreason = "r"\ntests = ["t"]\n',
            "a miss is of kind 'mood'; there are: priv",
        ),
        ('[[miss]]\nkind = "another loop"\ntests = ["t"]\n', "lacks its reason or its tests"),
        ('[[miss]]\nkind = "another loop"\nreason = "r"\n', "lacks its reason or its tests"),
        (DECLARED + "often = true\n", "a miss has ['often']; there are sometimes and run"),
        (DECLARED + DECLARED, "test_theirs.py::test_fails is declared twice"),
        ("colour = 'red'\n", "colour"),
        ("[", "theirs.toml: "),
    ],
)
def test_a_file_that_says_nothing_sensible_is_one_error(
    declared: str, said: str, downstream: Downstream
) -> None:
    downstream.suite(ON_THE_LOOP, declared)
    run = downstream.run()
    assert run.returncode == 2
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert said in line


def test_an_unknown_suite_is_one_error(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP)
    run = downstream.run("nope")
    assert run.returncode == 2
    assert run.stderr == "ci/downstream.sh: no suite is called 'nope'; there are: theirs\n"
    assert downstream.run("--loop", "asyncio").returncode == 2


def test_a_service_that_cannot_be_had_is_one_error(downstream: Downstream) -> None:
    downstream.suite(ON_THE_LOOP, 'services = ["redis"]\n' + DECLARED)
    downstream.environment = {"PATH": ""}
    assert "no redis-server; ci/redis.sh installs it" in complaint(downstream.run())


@pytest.mark.skipif(
    importlib.util.find_spec("test.test_asyncio") is None or sys.version_info >= (3, 14),
    reason="needs CPython's own tests, of a Python with policies",
)
def test_cpythons_own_tests_run_on_the_loop(downstream: Downstream) -> None:
    downstream.suite("", name="theirs")
    text = f'python = "{PYTHON}"\nmodules = ["test.test_asyncio.test_waitfor"]\n'
    (downstream.folder / "suites" / "theirs.toml").write_text(text, encoding="utf-8")
    full = ".".join(map(str, sys.version_info[:3]))
    stamp = downstream.folder / "kept" / "theirs" / "installed"
    stamp.write_text("\n".join([sys.executable, str(ROOT), full]), encoding="utf-8")
    run = downstream.run()
    assert run.returncode == 0, run.stderr + downstream.log()
    assert run.stdout.startswith(f"theirs {full}: ")
    assert "failed" not in run.stdout


def test_every_suite_is_listed() -> None:
    run = subprocess.run([sys.executable, SCRIPT, "--list"], capture_output=True, text=True, check=True)
    assert run.stdout.split() == sorted(path.stem for path in (SCRIPT / "suites").glob("*.toml"))
