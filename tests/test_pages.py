"""The pages that people read lead where they say."""

from __future__ import annotations

import re

import pytest
from pages import ROOT, text_of

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "examples/README.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page):
    folder = (ROOT / page).parent
    # Code in a page may have brackets of its own.
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(page), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in targets if not (folder / target.partition("#")[0]).exists()] == []
