"""Running an unchanged asyncio program on muxloop, as ``python`` would run it.

Whatever asks asyncio for a loop without naming a kind gets one of ours. A program that builds
``asyncio.SelectorEventLoop`` itself has made its choice, and keeps it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import os
import runpy
import sys
from asyncio import events
from functools import partial
from multiprocessing.process import current_process
from types import ModuleType, TracebackType
from typing import Any

from ..errors import UsageError
from .policy import EventLoopPolicy
from .runners import new_event_loop


def run_program(target: str, *, is_module: bool, arguments: list[str], backend: str | None) -> None:
    """Run the script or module ``target`` as ``__main__`` with muxloop as asyncio's event loop.

    Returns when the program ends; what it raises (SystemExit, KeyboardInterrupt, anything) passes through,
    and the traceback printed at exit starts in the program. UsageError, before anything runs, if there
    is no such script or module, BackendUnavailableError if the backend cannot be had.
    """
    new_event_loop(backend).close()  # now, or the program would find out in its midst
    make_default(backend)
    current_process()._config["muxloop"] = _PassedOn(backend)  # type: ignore[attr-defined]
    if is_module:
        _run_module(target, arguments)
    else:
        _run_script(target, arguments)


def make_default(backend: str | None) -> None:
    """Let ``asyncio.run``, ``Runner``, ``new_event_loop`` and ``get_event_loop`` make muxloop's loops."""
    # From 3.14 on the public function warns that policies will go; the private one does the work.
    set_policy = getattr(events, "_set_event_loop_policy", None) or getattr(
        asyncio, "set_event_loop_policy", None
    )
    if set_policy is not None:
        set_policy(EventLoopPolicy(backend))
    else:
        make = partial(new_event_loop, backend)
        asyncio.new_event_loop = events.new_event_loop = make


class _PassedOn:
    """Makes muxloop the default of a process, too, that multiprocessing spawns.

    Such a process is a new Python that gets its Process object pickled, and ``_config`` of the parent's in
    it. It has imported the main module by then: a loop made while that is imported is CPython's.
    """

    def __init__(self, backend: str | None) -> None:
        self._backend = backend

    def __reduce__(self) -> tuple[Any, ...]:
        return _pass_on, (self._backend,)


def _pass_on(backend: str | None) -> _PassedOn:
    make_default(backend)
    return _PassedOn(backend)  # for processes that this one spawns


def _run_script(path: str, arguments: list[str]) -> None:
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        raise UsageError(f"cannot run {path!r}: {error.strerror}; give a Python file, or -m MODULE") from None
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = main
    sys.argv = [path, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    _hide_launcher(path)
    exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)


def _run_module(name: str, arguments: list[str]) -> None:
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd()
    _check_module(name)
    sys.argv = [name, *arguments]  # runpy puts the file's path first
    _hide_launcher(runpy.__file__)
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _check_module(name: str) -> None:
    """UsageError if there is no such module to run; importing its parent packages may raise anything."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except (ModuleNotFoundError, ValueError) as error:
        parts = name.split(".")
        if isinstance(error, ModuleNotFoundError) and error.name not in {
            ".".join(parts[: end + 1]) for end in range(len(parts))
        }:
            raise  # the module is there, and something that it imports is not
        spec = None
    if spec is None:
        raise UsageError(
            f"cannot run -m {name}: there is no such module, or it is a package without __main__"
        )


def _hide_launcher(first_file: str) -> None:
    """Let the traceback of an uncaught exception start where the program starts."""
    former = sys.excepthook

    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        while trace is not None and trace.tb_frame.f_code.co_filename != first_file:
            trace = trace.tb_next
        former(kind, error.with_traceback(trace), trace)

    sys.excepthook = excepthook
