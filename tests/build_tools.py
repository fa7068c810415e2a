"""What building a package without network takes."""

from __future__ import annotations

from importlib import metadata

import pytest

_OLDEST = 77
"""Of setuptools: it knows licence expressions (PEP 639)."""


def need_setuptools() -> None:
    """Skip the test without a setuptools that is recent enough.

    It is asked for by name only: importing it fails in a process that has imported distutils before.
    """
    try:
        version = metadata.version("setuptools")
    except metadata.PackageNotFoundError:
        pytest.skip("setuptools is not installed")
    if int(version.partition(".")[0]) < _OLDEST:
        pytest.skip(f"setuptools is {version}, {_OLDEST} is needed")
