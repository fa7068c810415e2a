"""The run as JSON, for programs, in the shape of ``report.schema.json``; written, and read back."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NoReturn

from ...errors import UsageError
from ..verdict import Report
from .destination import AnyPath, write_whole
from .inert import inert_line
from .shape import misfit


def write_json(report: Report, path: AnyPath) -> None:
    """Write ``report.as_json()`` to ``path``, atomically.

    The document is strict JSON (RFC 8259), which has no NaN and no infinities: such a number is written as
    the string Python prints for it, any other stranger to JSON as its repr: no long run is lost over one.
    Raises UsageError when ``path`` cannot be written.
    """
    document = json.dumps(_strict(report.as_json()), indent=1, allow_nan=False, default=repr)
    write_whole(path, document + "\n")


def read_json(path: AnyPath) -> Report:
    """The report that an earlier run wrote to ``path``.

    Members which this version does not know are passed over. Raises UsageError, one line that names the
    path and the reason, when there is no such file or it is no report.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(path, "it is not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _refused(path, reason) from None
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _refused(path, f"line {error.lineno} is not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; 100,000 brackets
        raise _refused(path, f"it is not JSON that can be read: {error}") from None
    wrong = misfit(document)
    if wrong is not None:
        raise _refused(path, f"it is no report of schema 1: {wrong}")
    return Report.from_json(document)


def _refused(path: AnyPath, reason: str) -> UsageError:
    return UsageError(f"cannot read a report from {os.fspath(path)!r}: {inert_line(reason)}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _strict(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(member) for member in value]
    return value
