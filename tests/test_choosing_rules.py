"""--rules: what globs choose, and what a leading ! leaves out."""

import json

import pytest
from muxloop.cli import main
from muxloop.conformance.rules import chosen_rules
from muxloop.errors import UsageError


def ids(*globs):
    return [rule.id for rule in chosen_rules(globs)]


def groups(*globs):
    return {rule.partition("-")[0] for rule in ids(*globs)}


def test_a_leading_mark_leaves_out_what_fits():
    assert set(ids("TMR-*")) - set(ids("TMR-*", "!TMR-09", "!TMR-1?")) == {
        "TMR-09",
        *(rule for rule in ids("TMR-1*")),
    }


def test_without_any_other_all_but_those_are_judged():
    assert groups("!TRN-*", "!SRV-*") == groups() - {"TRN", "SRV"} == groups("*", "!TRN-*", "!SRV-*")


def test_the_order_does_not_matter():
    assert ids("!TMR-09", "TMR-*") == ids("TMR-*", "!TMR-09")
    assert "TMR-09" not in ids("!TMR-09", "TMR-*", "TMR-09")


@pytest.mark.parametrize(
    ("globs", "told"),
    [
        (["*", "!NOPE-*"], "--rules !NOPE-*: no rule fits; groups: ORD, TMR"),
        (["!"], "--rules !: no rule fits"),
        (["TMR-01", "!TMR-*"], "--rules TMR-01,!TMR-*: leaves out every rule that it names"),
        (["!*"], "--rules !*: leaves out every rule"),
    ],
)
def test_what_cannot_be_meant(globs, told):
    with pytest.raises(UsageError) as refused:
        chosen_rules(globs)
    assert told in str(refused.value)


@pytest.mark.parametrize("spread", [(), ("-n", "1")], ids=["one process", "another process"])
def test_the_command_leaves_out(tmp_path, spread):
    path = tmp_path / "report.json"
    rules = "ORD-0[123],!ORD-02"
    command = ["conform", "muxloop@select", "--profile", "quick", "--seed", "7", "--rules", rules]
    assert main([*command, "--json", str(path), *spread]) == 0
    (subject,) = json.loads(path.read_text())["subjects"]
    assert [result["rule"] for result in subject["results"]] == ["ORD-01", "ORD-03"]


def test_the_help_tells_of_it(capsys):
    with pytest.raises(SystemExit):
        main(["conform", "--help"])
    assert "'!TRN-*,!SRV-*' for all but these" in " ".join(capsys.readouterr().out.split())
