"""Each declared deviation has a report under findings/, whose program shows it for as long as it is there."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib

import pytest
from muxloop.conformance.declarations import reason_for
from source_tree import ROOT

FOLDER = ROOT / "findings"
PROGRAMS = sorted(FOLDER.glob("*/*.py"))
HEADINGS = ["Rule", "Versions", "Docs", "Expected", "Seen"]
NAMES = {"asyncio_gevent": "asyncio-gevent", "trio_asyncio": "trio-asyncio", "standard_library": "asyncio"}
"""Subjects that are named otherwise than the folder; what the standard library does is declared for all."""
SURROUNDINGS = {"qasync": {"PySide6"}}
"""What a loop cannot be made without."""
ELSEWHERE = {"winloop": "win32"}
"""Loops of another platform."""


def report_of(path):
    """The members of a report: what stands behind each heading."""
    title, _, rest = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).partition("\n")
    return {"Title": title} | dict(re.findall(r"^(\w+): +(.+)$", rest, re.MULTILINE))


def rules_of(path):
    return report_of(path)["Rule"].split(", ")


def named(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", PROGRAMS, ids=named)
def test_a_finding_is_a_report(path):
    report = report_of(path)
    assert list(report) == ["Title", *HEADINGS]
    assert report["Title"].startswith(f"{path.parent.name}: ".replace("standard_library: ", "asyncio."))
    statements = ast.parse(path.read_text(encoding="utf-8")).body[1:]
    imported = {alias.name for node in statements if isinstance(node, ast.Import) for alias in node.names}
    known = {path.parent.name, *SURROUNDINGS.get(path.parent.name, ()), *sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in imported} <= known


@pytest.mark.parametrize("subject", sorted({path.parent.name for path in PROGRAMS}))
def test_what_is_declared_is_what_is_found(subject):
    text = (ROOT / "conformance" / "declared" / f"{subject}.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["deviation"]
    platform = ELSEWHERE.get(subject, "linux")
    declared = {entry["rule"] for entry in entries if platform in entry.get("platform", [platform])}
    found = {rule for path in PROGRAMS if path.parent.name == subject for rule in rules_of(path)}
    assert found == declared


@pytest.mark.skipif(sys.platform != "linux", reason="what is found elsewhere has no program here")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the findings are about loops on CPython")
@pytest.mark.parametrize("path", PROGRAMS, ids=named)
def test_a_program_fails_while_the_bug_is_there(path):
    subject = NAMES.get(path.parent.name, path.parent.name)
    for needed in {subject.replace("-", "_"), *SURROUNDINGS.get(subject, ())}:
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"needs {needed}")
    known = {rule: reason_for(subject, rule) is not None for rule in rules_of(path)}
    done = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, timeout=60, check=False, cwd=path.parent
    )
    assert done.returncode == int(all(known.values())), done.stdout + done.stderr
    assert done.stdout or done.returncode == 0, "it ended with an error of its own"
