"""docs/debugging-selectors.md shows what MUXLOOP_DEBUG_SELECTOR=1 really says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import blocks_of, text_of

PAGE = "docs/debugging-selectors.md"


def as_pattern(line: str) -> str:
    """A line of the page as a pattern: numbers and the backend are the machine's."""
    pattern = (
        re.escape(line).replace("…", ".*").replace(r"print\(\)", ".*").replace("app\\.py", r"\S*app\.py")
    )
    return re.sub(r"(?<=descriptor\\ )\d+", r"\\d+", pattern).replace("epoll", r"\w+")


@pytest.mark.skipif(os.name != "posix", reason="add_reader takes what it takes there")
def test_the_program_is_told_what_the_page_says(tmp_path: Path) -> None:
    (program,) = blocks_of(PAGE)
    (tmp_path / "app.py").write_text(program)
    (expected,) = re.findall(
        r"^\$ MUXLOOP_DEBUG_SELECTOR=1 muxloop run app.py\n(.*)$", text_of(PAGE), re.MULTILINE
    )
    done = subprocess.run(
        [sys.executable, "-m", "muxloop", "run", "app.py"],
        cwd=tmp_path,
        env={**os.environ, "MUXLOOP_DEBUG_SELECTOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = done.stderr.splitlines()[-1]  # PyPy may complain of the processor before
    assert re.fullmatch(as_pattern(expected), told)
