"""A new rule is one function in a file of conformance/rules/, and shows up everywhere by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st
from muxloop.cli import main
from muxloop.conformance import rule_ids
from muxloop.conformance import rules as folder
from muxloop.conformance.history import History
from muxloop.conformance.rules import Finding
from muxloop.conformance.rules import rule as entering


@pytest.fixture
def new_rule(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(entering, "_catalogue", dict(entering.catalogue()))

    @entering.rule(
        "NEW-01",
        "R",
        "a run without callbacks returns",
        source="the asyncio-eventloop docs, loop.run_forever",
        programs=st.just((("run",),)),
    )
    def returns(history: History) -> Iterator[Finding]:
        if not history.of("returned"):
            yield Finding("the run returns", "it did not")

    return "NEW-01"


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",)])
def test_it_is_listed(new_rule: str, form: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", *form]) == 0
    assert new_rule in capsys.readouterr().out
    assert rule_ids()[-1] == new_rule


def test_it_judges_and_is_in_every_report(
    new_rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forms = ("json", "html", "markdown", "junit")
    files = [word for form in forms for word in (f"--{form}", str(tmp_path / form))]
    assert main(["conform", "asyncio@select", "--rules", "NEW-*", "--profile", "quick", *files]) == 0
    assert "NEW" in capsys.readouterr().out
    for form in forms:
        assert new_rule in (tmp_path / form).read_text("utf-8"), form


def test_each_file_of_rules_is_read_in() -> None:
    (place,) = folder.__path__
    files = {path.stem for path in Path(place).glob("*.py")} - {"__init__"}
    assert files <= {name.removeprefix(f"{folder.__name__}.") for name in sys.modules}
    assert {"ordering", "timers", "cancellation"} <= files
