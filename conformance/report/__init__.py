"""How a run is told to people and machines: live progress, a printed report, JSON, HTML, Markdown, JUnit.

Input is the plain data of ``conformance.verdict`` and the rules as any objects shaped like ``Rule``;
nothing here knows a loop or judges one. rich and jinja2 are imported only by what needs them.
"""

from __future__ import annotations

from .catalogue import Rule
from .comparison import Comparison, compare
from .destination import check_writable
from .html import write_html
from .json_report import read_json, write_json
from .junit import write_junit
from .markdown import write_markdown
from .printed import print_report
from .programs import check_folder, write_programs
from .progress import Progress, open_progress
from .rules_page import rules_page

__all__ = [
    "Comparison",
    "Progress",
    "Rule",
    "check_folder",
    "check_writable",
    "compare",
    "open_progress",
    "print_report",
    "read_json",
    "rules_page",
    "write_html",
    "write_json",
    "write_junit",
    "write_markdown",
    "write_programs",
]
