"""The optional packages that reports draw on, imported when a report first needs them."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import MuxloopError


def optional_import(module: str, purpose: str) -> Any:
    """Import ``module``; MuxloopError naming the extra to install when its distribution is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        distribution = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != distribution:
            raise
        raise MuxloopError(
            f"{purpose} needs {distribution}, which is not installed: pip install 'muxloop[conformance]'"
        ) from error
