"""Text of a subject under test, made safe to show: what would act on a terminal or a page is spelled out."""

from __future__ import annotations

import re

# Category Cc but for line feed and tab, the marks that reorder what follows them (CVE-2021-42574),
# and lone surrogates, which no encoding takes.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def inert(text: str) -> str:
    """``text`` with every control character, but line feed and tab, as a visible escape."""
    return _ACTING.sub(lambda found: ascii(found[0])[1:-1], text)


def inert_line(text: str) -> str:
    """``text`` made inert, and on a single line."""
    return " ".join(inert(text).split())
