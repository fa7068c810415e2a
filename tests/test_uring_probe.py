"""Why io_uring cannot be had, in one clause that says what stands in the way."""

from __future__ import annotations

import builtins
import errno
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from muxloop.errors import BackendUnavailableError
from muxloop.selectors_impl import backends, resolve_backend, uring
from muxloop.selectors_impl.io_uring import SystemCalls
from muxloop.selectors_impl.uring import UringSelector

ON_LINUX = sys.platform.startswith("linux")
AVAILABLE = UringSelector.probe() is None
needs_linux = pytest.mark.skipif(not ON_LINUX, reason="io_uring is Linux's")
needs_uring = pytest.mark.skipif(not AVAILABLE, reason=str(UringSelector.probe()))


class Refusing(SystemCalls):
    """A kernel that refuses to set up a ring."""

    def __init__(self, number: int) -> None:
        self._number = number

    def io_uring_setup(self, entries: int, params: bytearray) -> int:  # noqa: ARG002 - it is refused
        raise OSError(self._number, os.strerror(self._number))


class Poorer(SystemCalls):
    """A kernel from before a feature of io_uring."""

    FEATURES_AT = 20

    def __init__(self, missing: int) -> None:
        self._missing = missing

    def io_uring_setup(self, entries: int, params: bytearray) -> int:
        fd = super().io_uring_setup(entries, params)
        (features,) = struct.unpack_from("=I", params, self.FEATURES_AT)
        struct.pack_into("=I", params, self.FEATURES_AT, features & ~self._missing)
        return fd


class Silent(SystemCalls):
    """A kernel that takes requests and answers none."""

    def io_uring_enter(self, *_: Any) -> int:
        return 0


def why(kernel: SystemCalls, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(UringSelector, "kernel", kernel)
    return UringSelector.probe()


@needs_linux
@pytest.mark.parametrize(
    ("number", "setting", "said"),
    [
        (errno.ENOSYS, "0", "this kernel has no io_uring, or an emulator or a filter hides it"),
        (errno.EPERM, "0", "a filter of system calls forbids it (seccomp, as containers have)"),
        (errno.EPERM, None, "a filter of system calls forbids it (seccomp, as containers have)"),
        (errno.EPERM, "1", "kernel.io_uring_disabled=1 forbids it to who is not in kernel.io_uring_group"),
        (errno.EPERM, "2", "kernel.io_uring_disabled=2 forbids it"),
        (errno.EINVAL, "0", f"uring failed: [Errno {errno.EINVAL}] {os.strerror(errno.EINVAL)}"),
    ],
)
def test_what_refuses_it_is_named(number, setting, said, monkeypatch, tmp_path: Path):
    file = tmp_path / "io_uring_disabled"
    if setting is not None:
        file.write_text(f"{setting}\n")
    monkeypatch.setattr(uring, "_SETTING", file)
    assert why(Refusing(number), monkeypatch) == said
    with pytest.raises(BackendUnavailableError) as caught:
        resolve_backend("uring")
    assert f"backend=uring: not available on {sys.platform} ({said}); available: " in str(caught.value)
    listed = next(backend for backend in backends() if backend.name == "uring")
    assert (listed.available, listed.reason) == (False, said)


@needs_linux
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_shortage_is_raised(number, monkeypatch):
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        why(Refusing(number), monkeypatch)
    assert ("RLIMIT_MEMLOCK" in str(caught.value)) == (number == errno.ENOMEM)


@needs_uring
@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (1 << 0, "one mapping for both rings (Linux 5.4)"),
        (1 << 1, "completions that are never dropped (Linux 5.5)"),
        (1 << 8, "waits with a time limit (Linux 5.11)"),
    ],
)
def test_what_an_old_kernel_lacks_is_named(missing, said, monkeypatch):
    before = sorted(os.listdir("/proc/self/fd"))
    assert str(why(Poorer(missing), monkeypatch)).endswith(f"this kernel's io_uring lacks {said}")
    with pytest.raises(OSError, match="lacks"):
        UringSelector()
    assert sorted(os.listdir("/proc/self/fd")) == before


@needs_uring
def test_a_kernel_that_does_not_answer_is_no_backend(monkeypatch):
    assert why(Silent(), monkeypatch) == "a request to poll was answered by []"


@needs_linux
def test_a_python_without_ctypes_says_so(monkeypatch):
    real = builtins.__import__

    def without_ctypes(name: str, *rest: Any) -> Any:
        if name == "ctypes":
            raise ImportError("No module named '_ctypes'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ctypes)
    said = why(SystemCalls(), monkeypatch)
    assert said == "nothing to make its system calls with: No module named '_ctypes'"


def test_elsewhere_it_is_said_whose_it_is(monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    assert UringSelector.probe() == "io_uring is Linux's"


@needs_uring
def test_the_probe_leaves_nothing_open():
    before = sorted(os.listdir("/proc/self/fd"))
    assert UringSelector.probe() is None
    assert sorted(os.listdir("/proc/self/fd")) == before
