"""A stream people read: is it a terminal, how wide is it, and a page of text for it."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from .extras import optional_import

if TYPE_CHECKING:
    from rich.console import Console

UNKNOWN_WIDTH = 100


def is_terminal(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that understands cursor movement."""
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False


def width_of(stream: TextIO) -> int:
    """Columns of the terminal behind ``stream``; 100 when it is none or does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN_WIDTH
    except (OSError, ValueError, AttributeError):
        return UNKNOWN_WIDTH


@contextlib.contextmanager
def page_on(stream: TextIO) -> Iterator[Console]:
    """A rich console whose text goes to ``stream`` in one piece when the block ends.

    What the stream's encoding lacks becomes a visible escape. Colours only on a terminal, and not
    with NO_COLOR (no-color.org). Raises MuxloopError when rich is missing.
    """
    console_module = optional_import("rich.console", "the printed report")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    buffer = io.BytesIO()
    page = io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace", newline="")
    console: Console = console_module.Console(
        file=page,
        force_terminal=is_terminal(stream),
        width=width_of(stream),
        no_color=bool(os.environ.get("NO_COLOR")) or None,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    yield console
    page.flush()
    text = buffer.getvalue().decode(encoding)
    stream.write(re.sub(" +(?=\n)", "", text))  # tables come padded to a rectangle
    stream.flush()
