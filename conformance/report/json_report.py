"""The run as JSON, for programs. ``Report.from_json`` reads it back."""

from __future__ import annotations

import json
import math
from typing import Any

from ..verdict import Report
from .destination import AnyPath, write_whole


def write_json(report: Report, path: AnyPath) -> None:
    """Write ``report.as_json()`` to ``path``, atomically.

    The document is strict JSON (RFC 8259), which has no NaN and no infinities: such a number is written as
    the string Python prints for it, any other stranger to JSON as its repr: no long run is lost over one.
    Raises UsageError when ``path`` cannot be written.
    """
    document = json.dumps(_strict(report.as_json()), indent=1, allow_nan=False, default=repr)
    write_whole(path, document + "\n")


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _strict(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(member) for member in value]
    return value
