"""The programs of what fails or deviates, each as a script in a file of its own, to run and to send."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import UsageError
from ..verdict import Report
from .destination import AnyPath, check_writable, write_whole
from .inert import inert
from .standing import Standing, standing_of

_TOLD = (Standing.FAILS, Standing.DEVIATES)


def check_folder(folder: AnyPath) -> None:
    """Make sure that programs can be written into ``folder``, which is made when it is not there.

    Raises UsageError, one line that names the folder and the reason.
    """
    named = os.fspath(folder)
    if not named:
        raise UsageError("cannot write programs to '': the path is empty; name a folder")
    try:
        os.makedirs(named, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"cannot write programs to {named!r}: it is no folder") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"cannot write programs to {named!r}: {reason}") from None
    check_writable(Path(named) / "program.py")


def write_programs(report: Report, folder: AnyPath, *, strict: bool = False) -> list[str]:
    """Write each program whose finding nobody declared (strict: each at all) as RULE_SUBJECT.py; the names.

    A file of that name is replaced, atomically. Raises UsageError when the folder cannot be written.
    """
    texts = dict(_texts(report, strict=strict))
    for name, text in texts.items():
        write_whole(Path(folder) / name, text)
    return list(texts)


def _texts(report: Report, *, strict: bool) -> Iterator[tuple[str, str]]:
    taken: set[str] = set()
    for subject in report.subjects:
        for verdict in subject.results:
            if verdict.witness is None or standing_of(verdict, strict=strict) not in _TOLD:
                continue
            stem = f"{verdict.rule}_{re.sub('[^0-9A-Za-z@._-]+', '-', subject.subject)}"[:120]
            count = 1
            while (name := f"{stem}.py" if count == 1 else f"{stem}_{count}.py") in taken:
                count += 1  # a:b and a-b are two subjects
            taken.add(name)
            again = f"\n# The suite plays it by:\n# {inert(verdict.reproduce or '')}\n"
            yield name, inert(verdict.witness.python).rstrip() + "\n" + again
