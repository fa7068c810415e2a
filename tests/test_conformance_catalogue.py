"""Ids and levels never change their meaning: the catalogue is written down here a second time."""

import json
import platform
import sys
import tomllib
from importlib import resources

import pytest
from muxloop.cli import main
from muxloop.conformance import declarations, rule_ids
from muxloop.conformance.declarations import Deviation, declared, gone_away, reason_for
from muxloop.conformance.subjects import NAMED_LOOPS, parse
from muxloop.conformance.verdict import SubjectReport, Verdict

LEVELS = {
    "R": "ORD-01 ORD-10 ORD-11 TMR-01 TMR-02 TMR-05 TMR-06 TMR-07 TMR-10 TMR-12 CAN-01 CAN-02 CAN-03 CAN-04 "
    "CAN-06 CAN-08 CAN-09 CAN-10 CAN-11 CAN-15 CAN-18 IO-02 IO-03 IO-12 IO-13 SEL-01 SEL-02 SEL-04 THR-01 "
    "THR-04 THR-05 THR-06 SIG-01 SIG-02 SIG-04 SIG-06 LIF-01 LIF-02 LIF-03 LIF-04 LIF-06 LIF-09 LIF-10 "
    "LIF-11 EXC-01 EXC-04 EXC-05 EXC-06 TRN-01 TRN-02 TRN-03 TRN-04 TRN-05 TRN-06 TRN-08 TRN-09 TRN-10 "
    "TRN-11 TRN-12 SRV-01 SRV-04 DGM-01 DGM-04 PIP-01 PIP-03 SUB-01 SUB-04 TLS-01 TLS-03 TLS-04 TLS-05 "
    "TLS-06 TLS-07 TLS-08 TLS-10 EXE-01 EXE-02 DNS-01",
    "P": "ORD-03",
    "C": "ORD-02 ORD-04 ORD-05 ORD-06 ORD-07 ORD-08 ORD-09 TMR-03 TMR-08 TMR-09 TMR-11 HEAP-01 HEAP-02 "
    "HEAP-03 HEAP-04 HEAP-05 HEAP-06 CAN-05 CAN-07 CAN-12 CAN-13 CAN-14 CAN-16 CAN-17 IO-01 IO-04 IO-05 "
    "IO-06 IO-07 IO-08 IO-09 IO-10 SEL-03 SEL-05 SEL-06 SEL-07 SEL-08 THR-02 THR-03 SIG-03 SIG-05 "
    "SIG-07 SIG-08 LIF-05 LIF-07 LIF-08 EXC-02 EXC-03 TRN-07 TRN-13 TRN-14 TRN-15 SRV-02 SRV-03 "
    "SRV-05 SRV-06 SRV-07 DGM-02 DGM-03 PIP-02 SUB-02 "
    "SUB-03 TLS-02 TLS-09 TLS-11 RES-01 RES-02 RES-03 RES-04 RES-05 RES-06 RES-07 RES-08 RES-09",
    "own": "TMR-04 HEAP-07 IO-11 SEL-09 SEL-10 SEL-11 SEL-12 SEL-13",
}


@pytest.fixture
def listed(capsys):
    assert main(["rules", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_ids_and_levels(listed):
    of_level = {level: sorted(r["id"] for r in listed["rules"] if r["level"] == level) for level in LEVELS}
    assert of_level == {level: sorted(ids.split()) for level, ids in LEVELS.items()}
    assert sum(map(len, of_level.values())) == len(listed["rules"])
    assert listed["levels"].keys() == LEVELS.keys()


def test_every_rule_says_what_it_asks_and_why(listed):
    for rule in listed["rules"]:
        assert rule["sentence"].strip() == rule["sentence"] != ""
        assert not rule["sentence"].endswith(".")
        assert rule["source"]
        assert rule["judges"] == ("selector" if rule["id"].startswith("SEL-") else "loop")


def test_the_list_for_people_names_every_rule(capsys, listed):
    assert main(["rules"]) == 0
    told = capsys.readouterr().out
    for rule in listed["rules"]:
        assert f"{rule['id']:8} {rule['level']:4} {rule['sentence']}\n" in told


def test_the_ids_as_a_function(listed):
    assert rule_ids() + rule_ids("selector") == sorted(
        (rule["id"] for rule in listed["rules"]), key=lambda rule_id: rule_id.startswith("SEL-")
    )
    assert set(rule_ids(required_only=True)) == {
        rule_id for rule_id in LEVELS["R"].split() if not rule_id.startswith("SEL-")
    }


FILES = [
    file
    for file in resources.files("muxloop.conformance").joinpath("declared").iterdir()
    if file.name.endswith(".toml")
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_declaration_names_what_there_is(file):
    ids = {*rule_ids(), *rule_ids("selector")}
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["deviation"]
    assert entries
    for entry in entries:
        assert entry["rule"] in ids
        assert len(entry["reason"]) > 20
        for spec in set(entry["subjects"]) - {"*"}:
            name, _, backend = spec.partition("@")
            if sys.version_info >= getattr(NAMED_LOOPS.get(name), "python", (3, 11)):
                assert parse(name).target == name.removeprefix("selector:")
            assert backend in ("", "epoll", "kqueue", "poll", "select", "uring")


def test_a_declaration_covers_its_subjects_only():
    (first, *_) = declared()
    assert first.reason in (reason_for(first.subjects[0], first.rule) or "")
    assert reason_for("muxloop", first.rule) is None


def test_what_the_standard_library_does_is_declared_for_every_loop():
    assert "gh-134471" in (reason_for("acme.loops:new_loop", "CAN-17") or "")


@pytest.mark.parametrize(("subject", "strict"), [("asyncio", True), ("acme.loops:new_loop", False)])
def test_only_a_declaration_that_names_its_subject_goes_away(subject, strict, monkeypatch):
    known = Deviation("CAN-17", ("*", "asyncio"), "known")
    monkeypatch.setattr(declarations, "declared", lambda: (known,))
    report = SubjectReport(subject, "1", None, [Verdict("CAN-17", "C", "held")])
    assert bool(gone_away([report])) is strict


@pytest.mark.parametrize(("platform_name", "reason"), [("linux", "epoll"), ("win32", "WSA"), ("aix", "")])
def test_a_declaration_may_be_for_some_platforms_only(platform_name, reason, monkeypatch):
    monkeypatch.setattr(declarations.sys, "platform", platform_name)
    declared.cache_clear()
    try:
        assert reason in (reason_for("asyncio", "IO-05") or "")
        assert bool(reason) == bool(reason_for("asyncio", "IO-05"))
    finally:
        declared.cache_clear()


def test_a_declaration_may_be_for_some_pythons_only():
    applies = (3, 13) <= tuple(map(int, platform.python_version_tuple()[:2])) < (3, 14)
    if not applies:
        assert reason_for("asyncio", "LIF-06") is None
