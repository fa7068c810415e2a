"""Files of declared deviations: what they may hold, what is wrong with a bad one, and what one changes."""

import pytest
from muxloop.cli import main
from muxloop.conformance import declarations, judge
from muxloop.conformance.declarations import VARIABLE, Deviation, about, declared, deviations_in, reason_for
from muxloop.conformance.subjects import Subject
from muxloop.errors import UsageError

GOOD = """
[[deviation]]
rule = "TMR-09"
subjects = ["asyncio"]
reason = "it runs"
"""


@pytest.fixture
def fresh():
    """Declarations are read once; here they are read anew, before and after."""
    declared.cache_clear()
    yield
    declared.cache_clear()


def test_a_whole_entry():
    text = GOOD + 'link = "https://x.org/1"\nversions = [">=3"]\nprogram = \'[["soon","c0",[]],["run"]]\'\n'
    program = (("soon", "c0", ()), ("run",))
    assert deviations_in(text, "a.toml") == [
        Deviation("TMR-09", ("asyncio",), "it runs", "https://x.org/1", (">=3",), program)
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[deviation]", "a.toml: not TOML: "),
        ('deviation = "IO-01"', "a.toml: deviations are tables under [[deviation]]"),
        ("[deviation]\nrule = 'IO-01'", "a.toml: deviations are tables under [[deviation]]"),
        ('[[deviation]]\nrule = "IO-01"', "a.toml: deviation 1 lacks reason, subjects; the members are "),
        (GOOD + 'because = "x"', "a.toml: deviation 1 has because; the members are link, platform, "),
        (GOOD + 'versions = ">=1"', "a.toml: deviation 1: versions is a list of strings"),
        (GOOD + "link = 3", "a.toml: deviation 1: link is a string"),
        (
            GOOD + 'link = "gh-130145"',
            "a.toml: deviation 1: link is 'gh-130145', which is no address of a page",
        ),
        (
            GOOD + 'versions = ["0.23 and up"]',
            "a.toml: deviation 1: '0.23 and up' are no versions; give them as ",
        ),
        (GOOD + 'seen = "often"', "a.toml: deviation 1: seen is 'often'; 'sometimes' is all that it may be"),
        (GOOD + 'python = ["three"]', "a.toml: deviation 1: 'three' are no versions; "),
        (GOOD + 'program = "[[1]]"', "a.toml: deviation 1: program: [1] is not an action"),
        (GOOD + "program = '[[\"fly\"]]'", "a.toml: deviation 1: program: no action 'fly'; nearest: "),
        (GOOD + GOOD.replace('"it runs"', '""'), "a.toml: deviation 2: reason is a string"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(text, said):
    with pytest.raises(UsageError) as refused:
        deviations_in(text, "a.toml")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("version", "fits"),
    [("0.22.1", False), ("0.23.0", True), ("0.23.1b2", True), ("0.24", False), ("unknown", False)],
)
def test_a_declaration_may_be_for_some_versions_only(version, fits, monkeypatch):
    known = Deviation("ORD-05", ("uvloop",), "timers first", versions=(">=0.23,<0.24", "==9.*"))
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    monkeypatch.setattr(Subject, "version", property(lambda _: version))
    assert bool(reason_for("uvloop", "ORD-05")) is fits


def test_the_reason_says_where_to_read_on(monkeypatch):
    known = Deviation("ORD-05", ("acme:loop",), "timers first", "https://x.org/1")
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    assert reason_for("acme:loop", "ORD-05") == "timers first (https://x.org/1)"


@pytest.mark.usefixtures("fresh")
def test_a_file_of_ones_own_is_read_too(tmp_path, monkeypatch):
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD.replace('"asyncio"', '"acme:loop"'))
    monkeypatch.setenv(VARIABLE, str(mine))
    assert reason_for("acme:loop", "TMR-09") == "it runs"
    assert reason_for("asyncio", "TMR-09") not in (None, "it runs")


@pytest.mark.usefixtures("fresh")
def test_a_file_that_is_not_there_ends_the_run_before_it_begins(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.toml"))
    assert main(["conform", "asyncio", "--rules", "ORD-01"]) == 2
    assert f"{VARIABLE}: {tmp_path / 'none.toml'} cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize(("sometimes", "gone"), [(False, 1), (True, 0)])
def test_what_is_seen_sometimes_may_stay_unseen(sometimes, gone, monkeypatch):
    known = Deviation("ORD-01", ("asyncio",), "out of order", sometimes=sometimes)
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    report = judge("asyncio", rules=["ORD-01"], profile="quick", seed=1)
    assert len(report.stale_declarations) == gone


def test_the_program_that_shows_it_is_played_first(monkeypatch):
    program = (("later", "declared", "nan", ()), ("run",))
    known = Deviation("TMR-09", ("asyncio",), "it runs", program=program)
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    assert [deviation.program for deviation in about("asyncio", "TMR-09")] == [program]
    ((verdict,),) = (subject.results for subject in judge("asyncio", rules=["TMR-09"], seed=1).subjects)
    assert (verdict.outcome, verdict.declared) == ("broken", "it runs")
    assert verdict.witness.program == [["later", "declared", "nan", []], ["run"]]
    assert verdict.examples == 1
