"""docs/rules.md is what the rules say of themselves."""

from __future__ import annotations

import json
import re

import pytest
from muxloop.cli import main
from muxloop.conformance.report import rules_page
from muxloop.conformance.rules import LEVELS, all_rules
from pages import text_of


def test_the_page_is_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--markdown"]) == 0
    drawn = capsys.readouterr().out
    assert text_of("docs/rules.md") == drawn, "draw it anew: muxloop rules --markdown >docs/rules.md"


def test_the_page_tells_each_rule_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(["rules", "--json"])
    listed = json.loads(capsys.readouterr().out)["rules"]
    main(["rules", "--markdown"])
    rows = re.findall(
        r'^\| <a id="([a-z0-9-]+)"></a>([A-Z0-9-]+) \| (\w+) \|', capsys.readouterr().out, re.MULTILINE
    )
    assert rows == [(rule["id"].lower(), rule["id"], rule["level"]) for rule in listed]


def test_links_within_the_page_lead_somewhere() -> None:
    page = rules_page(all_rules(), LEVELS, "1")
    targets = re.findall(r'<a id="([^"]+)">', page)
    assert len(targets) == len(set(targets))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(targets)


def test_a_sentence_cannot_end_its_cell() -> None:
    first, *_ = all_rules()
    spoiled = type(first)(
        **{**vars(first), "sentence": "a | b\n<b> *c* `d` _e_ f_g [h](i)", "source": "\\| &lt;"}
    )
    row = rules_page([spoiled], LEVELS, "1").splitlines()[-1]
    assert re.sub(r"\\.", "", row).count("|") == 5
    assert r"a \| b \<b\> \*c\* \`d\` \_e\_ f_g \[h\](i)" in row
    assert r"\\\| \&lt;" in row


def test_a_rule_says_when_it_is_judged() -> None:
    first, *_ = all_rules()
    told = type(first)(
        **{
            **vars(first),
            "judges": "selector",
            "capability": "tls",
            "needs": "fork",
            "timed": True,
            "version": 2,
        }
    )
    row = rules_page([told], LEVELS, "1").splitlines()[-1]
    assert (
        "version 2; judges selectors; only of subjects that claim `tls`; only where there is `fork`; measured"
        in row
    )


def test_one_form_at_a_time() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["rules", "--json", "--markdown"])
    assert stopped.value.code == 2
