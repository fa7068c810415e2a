"""Where a report goes: a file that appears whole or not at all, and one-line errors when it cannot.

A report is written beside its destination and moved over it, so a full disk or a kill leaves the old
file as it was. Devices and FIFOs (``/dev/stdout``) cannot be replaced that way and are written directly.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from ...errors import UsageError

AnyPath = str | os.PathLike[str]


def check_writable(path: AnyPath) -> None:
    """Make sure a report can be written to ``path``, before a long run is spent on it.

    Probes by creating and removing a file beside it: permission bits alone say nothing about
    read-only mounts. Raises UsageError, one line that names the path and the reason.
    """
    with _named_errors(path):
        present = _status(path)
        if present is not None and not stat.S_ISDIR(present.st_mode):
            if stat.S_ISREG(present.st_mode):
                with open(path, "r+b"):  # neither truncates nor creates
                    pass
            else:
                return  # opening a FIFO would wait for its reader
        _refuse_folder(path, present)
        probe = _beside(_target(path))
        with open(probe, "xb"):
            pass
        os.unlink(probe)


def write_whole(path: AnyPath, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path``, atomically; lone surrogates become visible escapes.

    Raises UsageError, one line that names the path and the reason.
    """
    data = text.encode("utf-8", "backslashreplace")
    with _named_errors(path):
        present = _status(path)
        _refuse_folder(path, present)
        if present is not None and not stat.S_ISREG(present.st_mode):
            with open(path, "wb") as stream:
                stream.write(data)
            return
        target = _target(path)
        draft = _beside(target)
        try:
            with open(draft, "xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())  # a full disk may only show here
            if present is not None:
                os.chmod(draft, stat.S_IMODE(present.st_mode))
            os.replace(draft, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)
            raise


def _status(path: AnyPath) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _refuse_folder(path: AnyPath, present: os.stat_result | None) -> None:
    if not os.fspath(path):
        raise UsageError("cannot write a report to '': the path is empty; name a file")
    if present is not None and stat.S_ISDIR(present.st_mode):
        raise UsageError(f"cannot write a report to {os.fspath(path)!r}: it is a folder; name a file in it")
    folder = _target(path).parent
    if not folder.is_dir():
        raise UsageError(
            f"cannot write a report to {os.fspath(path)!r}: no folder {str(folder)!r}; create it first"
        )


def _target(path: AnyPath) -> Path:
    """The file itself: moving onto a symbolic link would replace the link."""
    return Path(os.path.realpath(path))


def _beside(target: Path) -> Path:
    return target.with_name(f".muxloop-{secrets.token_hex(6)}.tmp")  # short: the own name may be at NAME_MAX


@contextlib.contextmanager
def _named_errors(path: AnyPath) -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"cannot write a report to {os.fspath(path)!r}: {reason}") from error
