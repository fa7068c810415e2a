"""Which backend is opened, and what is said when it cannot be."""

from __future__ import annotations

import dataclasses
import errno
import os
import selectors
import subprocess
import sys
import types
from pathlib import Path

import pytest
from muxloop.errors import BackendUnavailableError
from muxloop.selectors_impl import Selector, backends, open_selector, resolve_backend
from muxloop.selectors_impl.epoll import EpollSelector
from muxloop.selectors_impl.kqueue import KqueueSelector
from muxloop.selectors_impl.poll import PollSelector
from muxloop.selectors_impl.select import SelectSelector
from muxloop.selectors_impl.uring import UringSelector

BUILT_IN = {
    backend.name: backend
    for backend in (EpollSelector, KqueueSelector, PollSelector, SelectSelector, UringSelector)
}
AVAILABLE = [name for name, backend in BUILT_IN.items() if backend.probe() is None]
MISSING = [name for name in BUILT_IN if name not in AVAILABLE]


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv("MUXLOOP_BACKEND", raising=False)


@pytest.fixture
def environment(monkeypatch):
    return lambda value: monkeypatch.setenv("MUXLOOP_BACKEND", value)


@pytest.fixture
def only_poll_and_select(monkeypatch):
    """The same words on every system."""
    monkeypatch.setattr(sys, "platform", "plan9")
    refusals = {
        "epoll": "select has no epoll",
        "kqueue": "select has no kqueue",
        "uring": "io_uring is Linux's",
    }
    for name, reason in refusals.items():
        monkeypatch.setattr(BUILT_IN[name], "probe", classmethod(lambda _, reason=reason: reason))
    for name in ("poll", "select"):
        monkeypatch.setattr(BUILT_IN[name], "probe", classmethod(lambda _: None))


def message_of(name: str | None, **arguments: str) -> str:
    with pytest.raises(BackendUnavailableError) as caught:
        open_selector(name, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", AVAILABLE)
def test_a_name_opens_that_backend(name):
    with open_selector(name) as selector:
        assert type(selector) is BUILT_IN[name]
    assert resolve_backend(name).selector_class is BUILT_IN[name]
    assert (resolve_backend(name).name, resolve_backend(name).source) == (name, "built in")


def test_without_a_name_the_best_is_opened(environment):
    best = BUILT_IN[AVAILABLE[0]]
    with open_selector() as selector:
        assert type(selector) is best
    environment("")
    with open_selector() as selector:
        assert type(selector) is best


@pytest.mark.usefixtures("only_poll_and_select")
def test_the_probe_order_ends_with_select(monkeypatch):
    assert resolve_backend().name == "poll"
    monkeypatch.setattr(PollSelector, "probe", classmethod(lambda _: "no"))
    assert resolve_backend().name == "select"
    monkeypatch.setattr(SelectSelector, "probe", classmethod(lambda _: "neither"))
    assert message_of(None) == (
        "muxloop: no backend works on plan9: epoll (select has no epoll), kqueue (select has no kqueue), "
        "poll (no), select (neither)"
    )


def test_uring_is_had_by_name_only(monkeypatch):
    """A process that has not asked for io_uring does not get it, not even where nothing else works."""
    monkeypatch.setattr(UringSelector, "probe", classmethod(lambda _: None))
    for name in ("epoll", "kqueue", "poll", "select"):
        monkeypatch.setattr(BUILT_IN[name], "probe", classmethod(lambda _: "no"))
    assert resolve_backend("uring").selector_class is UringSelector
    assert [backend.name for backend in backends() if backend.available] == ["uring"]
    assert "uring" not in message_of(None).partition("; ")[0]


def test_the_environment_is_obeyed_and_an_argument_goes_first(environment):
    environment("select")
    assert resolve_backend().name == "select"
    assert resolve_backend(AVAILABLE[0]).name == AVAILABLE[0]


@pytest.mark.usefixtures("only_poll_and_select")
def test_a_list_is_an_order_of_preference(environment):
    assert resolve_backend("kqueue, select,poll").name == "select"
    environment("epoll,poll,select")
    assert resolve_backend().name == "poll"
    assert resolve_backend("selectors:SelectSelector,poll").selector_class is selectors.SelectSelector


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("kqueue", "not available on plan9 (select has no kqueue); available: poll, select"),
        ("eopll", "not a known backend; available: poll, select"),
        (
            "epoll,uring,iocp",
            "none can be had: epoll is not available on plan9 (select has no epoll); "
            "uring is not available on plan9 (io_uring is Linux's); "
            "iocp is not a known backend; available: poll, select",
        ),
    ],
)
@pytest.mark.usefixtures("only_poll_and_select")
def test_what_is_said_names_who_asked_for_what_and_what_there_is(environment, asked, message):
    assert message_of(asked) == f"backend={asked}: {message}"
    assert message_of(asked, actor="--backend") == f"--backend={asked}: {message}"
    environment(asked)
    assert message_of(None) == f"MUXLOOP_BACKEND={asked}: {message}"


@pytest.mark.parametrize("asked", ["", " ", ",", " , ,"])
@pytest.mark.usefixtures("only_poll_and_select")
def test_a_name_of_nothing_is_refused(asked):
    assert message_of(asked) == f"backend={asked!r}: names no backend; available: poll, select"


@pytest.mark.usefixtures("only_poll_and_select")
def test_module_and_class():
    found = resolve_backend("selectors:SelectSelector")
    assert (found.name, found.selector_class, found.source) == (
        "selectors:SelectSelector",
        selectors.SelectSelector,
        "selectors",
    )
    with open_selector("selectors:SelectSelector") as selector:
        assert type(selector) is selectors.SelectSelector


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("no_such_module:Class", "loading it raised ModuleNotFoundError: No module named 'no_such_module'"),
        (
            "selectors:NoSuch",
            "loading it raised AttributeError: module 'selectors' has no attribute 'NoSuch'",
        ),
        ("selectors:", "loading it raised AttributeError: module 'selectors' has no attribute ''"),
        (":SelectSelector", "loading it raised ValueError: Empty module name"),
        ("selectors:EVENT_READ", "1 is not a subclass of selectors.BaseSelector"),
        ("os:PathLike", "<class 'os.PathLike'> is not a subclass of selectors.BaseSelector"),
        ("muxloop.selectors_impl.blank:BlankSelector", "it is a blank form to start a port from"),
    ],
)
@pytest.mark.usefixtures("only_poll_and_select")
def test_module_and_class_that_cannot_be_had(asked, why):
    assert message_of(asked) == f"backend={asked}: not available ({why}); available: poll, select"


@pytest.mark.usefixtures("only_poll_and_select")
def test_backends_lists_everything_and_why_not():
    listed = {backend.name: backend for backend in backends() if backend.source == "built in"}
    assert list(listed) == list(BUILT_IN)
    assert dataclasses.asdict(listed["epoll"]) == {
        "name": "epoll",
        "available": False,
        "reason": "select has no epoll",
        "source": "built in",
        "version": None,
        "default": False,
    }
    assert dataclasses.astuple(listed["poll"]) == ("poll", True, None, "built in", None, True)
    assert [name for name, backend in listed.items() if backend.available] == ["poll", "select"]


@pytest.mark.parametrize(("asked", "default"), [("select", "select"), ("kqueue", None)])
@pytest.mark.usefixtures("only_poll_and_select")
def test_backends_marks_the_default(environment, asked, default):
    environment(asked)
    assert [backend.name for backend in backends() if backend.default] == (
        [] if default is None else [default]
    )


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX")
@pytest.mark.parametrize("call", ["geteuid", "getegid"])
def test_the_environment_is_ignored_with_the_rights_of_another(environment, monkeypatch, call):
    environment("no_such_module:Class")
    real = getattr(os, call)()
    monkeypatch.setattr(os, call, lambda: real + 1)
    assert resolve_backend().name == AVAILABLE[0]
    assert [backend.name for backend in backends() if backend.default] == [AVAILABLE[0]]


@pytest.mark.skipif(not MISSING, reason="every backend works here")
def test_a_real_refusal_of_this_system(environment):
    environment(MISSING[0])
    assert message_of(None) == (
        f"MUXLOOP_BACKEND={MISSING[0]}: not available on {sys.platform} ({BUILT_IN[MISSING[0]].probe()}); "
        f"available: {', '.join(AVAILABLE)}"
    )


def test_a_python_without_any_poller_can_still_import_and_probe(tmp_path: Path):
    """Another system's `select` lacks the names that a backend needs; to be asked, it must be importable."""
    (tmp_path / "only_select.py").write_text(
        "import select, sys, types\n"
        "sys.modules['select'] = poor = types.ModuleType('select')\n"
        "poor.select, poor.error = select.select, OSError\n"
        "from muxloop.selectors_impl import backends, open_selector\n"
        "print(*(b.name for b in backends() if b.available and b.name != 'uring'), open_selector().name)\n"
    )
    child = subprocess.run(
        [sys.executable, tmp_path / "only_select.py"], capture_output=True, text=True, check=False
    )
    assert (child.stdout.split(), child.stderr) == (["select", "select"], "")


@pytest.mark.parametrize("name", AVAILABLE)
def test_the_variable_reaches_a_new_process(name):
    script = "from muxloop.selectors_impl import open_selector; print(open_selector().name)"
    environment = {**os.environ, "MUXLOOP_BACKEND": name}
    child = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert child.stdout.strip() == name


def test_the_base_class_cannot_be_opened():
    assert issubclass(Selector, selectors.BaseSelector)
    with pytest.raises(TypeError, match="abstract"):
        Selector()  # type: ignore[abstract]


def test_out_of_descriptors_is_no_reason_to_choose_a_slower_backend(monkeypatch):
    def refuse(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(EpollSelector, "kernel", types.SimpleNamespace(epoll=refuse))
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        open_selector()
    epoll = next(backend for backend in backends() if backend.name == "epoll")
    assert not epoll.available
    assert os.strerror(errno.EMFILE) in str(epoll.reason)
