"""Backends that other packages offer: found, tried, listed, and refused with the reason and the remedy."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from muxloop.cli import main
from muxloop.errors import BackendUnavailableError
from muxloop.selectors_impl import INTERFACE_VERSION, Backend, backends, open_selector, resolve_backend
from muxloop.selectors_impl.select import SelectSelector

HEAD = """
import selectors
from muxloop.selectors_impl import Selector

class Plain(selectors.SelectSelector):
    pass

class Ours(Selector):
    name = "ours"
    resolution = 1e-3
    interface_version = {version}
    probe = classmethod(lambda cls: None)
    _add = _change = _remove = lambda self, *arguments: None
    select = lambda self, timeout=None: []
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution with one module and entry points on the path, as an installer does."""
    monkeypatch.delenv("MUXLOOP_BACKEND", raising=False)

    def install(
        body: str,
        *,
        module: str = "plugged",
        name: str = "muxloop-plugged",
        version: str = "1.0",
        **points: str,
    ) -> None:
        folder = tmp_path / name
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(HEAD.format(version=INTERFACE_VERSION) + body, "utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
        lines = [f"{point} = {module}:{target}" for point, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[muxloop.backends]", *lines]), "utf-8")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def refusal(name: str) -> str:
    """Why a backend cannot be had, without who asked and what else there is."""
    with pytest.raises(BackendUnavailableError) as caught:
        open_selector(name)
    message = str(caught.value)
    assert "\n" not in message
    told = message.removeprefix(f"backend={name}: not available (").partition("); available: ")
    assert told[1], message
    return told[0]


def rows(name: str) -> list[Backend]:
    return [backend for backend in backends() if backend.name == name]


@pytest.mark.parametrize("target", ["Plain", "Ours"])
def test_a_plug_in_is_opened_by_name(install: Install, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    install("", version="2.5", mine=target)
    monkeypatch.setenv("MUXLOOP_BACKEND", "mine")
    with open_selector() as selector:
        assert type(selector).__name__ == target
    assert (resolve_backend().name, resolve_backend().source) == ("mine", "muxloop-plugged")
    assert rows("mine") == [Backend("mine", True, None, "muxloop-plugged", "2.5", True)]
    assert [backend.name for backend in backends() if backend.default] == ["mine"]


BROKEN = {
    "it raises at import": (
        "raise OSError(38, 'no\\nsuch call')",
        "loading it raised OSError: [Errno 38] no such call",
    ),
    "it exits at import": ("import sys; sys.exit('no licence')", "loading it raised SystemExit: no licence"),
    "it is not there": ("", "loading it raised AttributeError: module 'plugged' has no attribute 'Mine'"),
    "it is no class": ("Mine = 5", "5 is not a subclass of selectors.BaseSelector"),
    "it is no selector": ("class Mine: pass", "is not a subclass of selectors.BaseSelector"),
    "it is abstract": (
        "class Mine(selectors.BaseSelector): pass",
        "opening Mine raised TypeError: Can't instantiate abstract class Mine",
    ),
    "it cannot be opened": (
        "class Mine(Plain):\n def __init__(self): raise OSError(38, 'Function not implemented')",
        "opening Mine raised OSError: [Errno 38] Function not implemented",
    ),
    "ours cannot be opened": (
        "class Mine(Ours):\n def __init__(self): 1 / 0",
        "opening Mine raised ZeroDivisionError: division by zero",
    ),
    "it cannot wait": (
        "class Mine(Plain):\n def select(self, timeout=None): raise ValueError('not now')",
        "its select(0) raised ValueError: not now",
    ),
    "it returns no list": (
        "class Mine(Plain):\n def select(self, timeout=None): pass",
        "its select(0) returned None, not a list",
    ),
    "its probe says no": (
        "class Mine(Ours): probe = classmethod(lambda cls: 'needs a licence')",
        "needs a licence",
    ),
    "its probe raises": (
        "class Mine(Ours): probe = classmethod(lambda cls: 1 / 0)",
        "its probe raised ZeroDivisionError: division by zero",
    ),
    "its probe returns true": (
        "class Mine(Ours): probe = classmethod(lambda cls: True)",
        "its probe returned True, not None or the reason why it cannot work",
    ),
    "its probe returns nothing said": (
        "class Mine(Ours): probe = classmethod(lambda cls: '')",
        "its probe returned '', not None or the reason why it cannot work",
    ),
    "it has no name": (
        f"class Mine(Selector): interface_version = {INTERFACE_VERSION}",
        "Mine has no name, which every muxloop Selector states",
    ),
    "it states no version": (
        "class Mine(Selector): pass",
        "Mine does not say which selector interface it was written for; this muxloop has "
        f"{INTERFACE_VERSION}: write interface_version = {INTERFACE_VERSION} in its class",
    ),
    "it is newer": (
        f"class Mine(Plain): interface_version = {INTERFACE_VERSION + 1}",
        f"written for selector interface {INTERFACE_VERSION + 1}, this muxloop has {INTERFACE_VERSION}: "
        "upgrade muxloop",
    ),
    "it is older": (
        "class Mine(Ours): interface_version = 0",
        f"written for selector interface 0, this muxloop has {INTERFACE_VERSION}: upgrade the plug-in",
    ),
    "its version is no number": (
        "class Mine(Ours): interface_version = '1.0'",
        f"written for selector interface '1.0', this muxloop has {INTERFACE_VERSION}: "
        "the plug-in's interface_version must be a whole number",
    ),
}


@pytest.mark.parametrize(("body", "why"), BROKEN.values(), ids=BROKEN)
def test_a_plug_in_that_cannot_be_had_is_named_with_the_reason(install: Install, body: str, why: str) -> None:
    install(body, mine="Mine", other="Plain")
    label, _, told = refusal("mine").partition(": ")
    assert label == "muxloop-plugged 1.0, entry point mine = plugged:Mine"
    assert why in told
    assert why in refusal("plugged:Mine")
    (row,) = rows("mine")
    assert (row.available, row.source, row.version) == (False, "muxloop-plugged", "1.0")
    assert why in str(row.reason)
    assert not any(backend.available and "mine" in backend.name for backend in backends())


def test_one_broken_plug_in_does_not_hide_the_others(install: Install) -> None:
    install("", mine="Missing")
    install("", module="second", name="muxloop-second", other="Plain")
    assert type(open_selector("mine,other")).__name__ == "Plain"
    with pytest.raises(BackendUnavailableError, match=r"; available: .*\bselect, (uring, )?other$"):
        open_selector("mine")


def test_of_two_with_one_name_neither_wins(install: Install) -> None:
    install("", mine="Plain")
    install("", module="second", name="muxloop-second", version="2", mine="Plain")
    assert refusal("mine") == (
        "muxloop-plugged 1.0, entry point mine = plugged:Plain: "
        "offered by muxloop-plugged and muxloop-second: uninstall all but one, or ask for one "
        "as plugged:Plain"
    )
    assert [(row.available, row.source) for row in rows("mine")] == [
        (False, "muxloop-plugged"),
        (False, "muxloop-second"),
    ]
    assert type(open_selector("second:Plain")).__module__ == "second"


def test_a_built_in_name_cannot_be_taken_and_the_attempt_is_listed(install: Install) -> None:
    install("", select="Plain")
    assert resolve_backend("select").selector_class is SelectSelector
    built_in, taker = rows("select")
    assert (built_in.source, built_in.available) == ("built in", True)
    assert taker == Backend(
        "select",
        False,
        "muxloop's own select keeps the name; ask for it as plugged:Plain",
        "muxloop-plugged",
        "1.0",
        False,
    )


@pytest.mark.parametrize("name", ["a,b", "a b", "é!"])
def test_a_name_that_nobody_can_ask_for_is_listed_as_that(install: Install, name: str) -> None:
    install("", **{name: "Plain"})
    (row,) = rows(name)
    assert row.reason == "nobody can ask for such a name; ask for it as plugged:Plain"


def test_an_extra_behind_the_class_is_no_part_of_it(install: Install) -> None:
    install("", mine="Plain [fast]")
    assert type(open_selector("mine")).__name__ == "Plain"


def test_a_shortage_is_raised_for_the_one_asked_for_and_told_in_the_list(install: Install) -> None:
    body = f"class Mine(Plain):\n def __init__(self): raise OSError({errno.EMFILE}, 'too many')"
    install(body, mine="Mine")
    with pytest.raises(OSError, match="too many"):
        open_selector("mine")
    assert "too many" in str(rows("mine")[0].reason)


def test_nothing_is_loaded_for_a_backend_of_ours(install: Install) -> None:
    install("raise SystemError('loaded')", mine="Mine")
    open_selector("select").close()
    open_selector().close()
    assert "plugged" not in sys.modules


def test_a_chosen_class_is_listed_as_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUXLOOP_BACKEND", "selectors:SelectSelector")
    assert backends()[-1] == Backend("selectors:SelectSelector", True, None, "selectors", None, True)
    assert [backend.default for backend in backends()].count(True) == 1


def test_the_command_shows_source_and_version(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("", version="2.5", mine="Plain", gone="Missing")
    assert main(["backends"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (mine,) = [line for line in lines if line.startswith("mine ")]
    assert mine.split("  ")[-1] == "from muxloop-plugged 2.5"
    (gone,) = [line for line in lines if line.startswith("gone ")]
    assert "not available: loading it raised AttributeError" in gone
    assert any("module:Class" in line and "selectors:PollSelector" in line for line in lines)
