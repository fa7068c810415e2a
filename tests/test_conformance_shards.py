"""One run split over machines is the same run: every pair once, and one report in the end."""

import json

import pytest
from muxloop.cli import main
from muxloop.conformance.sharding import Shard
from muxloop.conformance.suite import Plan
from muxloop.conformance.verdict import Report

SUBJECTS = ("muxloop@select", "selector:select", "faulty_loops:exits_the_process")
RULES = "ORD-01,CAN-01,SEL-01"


def conform(*arguments):
    return main(["conform", *arguments])


def read(path):
    return Report.from_json(json.loads(path.read_text()))


def judged(report):
    return [(s.subject, v.rule, v.outcome, v.reproduce) for s in report.subjects for v in s.results]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The reports of one run in three shards, one of them over two processes, and of the whole."""
    folder = tmp_path_factory.mktemp("shards")
    paths = {"whole": folder / "whole.json", **{n: folder / f"{n}.json" for n in (1, 2, 3)}}
    codes = {}
    for name, path in paths.items():
        shard = () if name == "whole" else ("--shard", f"{name}/3")
        spread = ("-n", "1") if name == 2 else ()
        asked = ("--rules", RULES, "--profile", "quick", "--seed", "7", "--json", str(path))
        codes[name] = conform(*SUBJECTS, *asked, *shard, *spread)
    assert codes["whole"] == max(codes.values()) == 1
    return paths


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_every_pair_is_in_exactly_one_shard(count):
    whole = Plan.of(SUBJECTS, seed=1)
    dealt = []
    for number in range(1, count + 1):
        plan = Plan.of(SUBJECTS, seed=1, shard=Shard(number, count))
        assert plan.fingerprint == whole.fingerprint
        dealt += [(s.spec, rule.id) for s in plan.subjects for rule in plan.rules_for(s)]
    assert sorted(dealt) == sorted((s.spec, rule.id) for s in whole.subjects for rule in whole.rules_for(s))


def test_a_shard_says_which_one_it_is(parts):
    assert [read(path).shard for path in parts.values()] == [None, "1/3", "2/3", "3/3"]


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_a_shard_may_have_nothing_to_do(capsys, spread):
    asked = ("--rules", "ORD-01", "--profile", "quick", "--seed", "7", "--shard", "2/2")
    assert conform("muxloop@select", *asked, *spread) == 0
    assert "muxloop@select was not judged" in capsys.readouterr().out


def test_the_merged_report_is_that_of_the_whole_run(parts, tmp_path, capsys):
    together = {kind: tmp_path / f"merged.{kind}" for kind in ("json", "html", "junit")}
    files = [part for kind, path in together.items() for part in (f"--{kind}", str(path))]
    assert conform("--merge", *(str(parts[n]) for n in (3, 1, 2)), *files) == 1
    merged, whole = read(together["json"]), read(parts["whole"])
    assert judged(merged) == judged(whole)
    assert (merged.shard, merged.plan, merged.seed) == (None, whole.plan, whole.seed)
    assert "CAN-01 (level R) crashed" in capsys.readouterr().out
    assert "CAN-01" in together["html"].read_text()
    assert together["junit"].read_text().count("<testcase ") == len(judged(whole))


def test_the_exit_code_is_as_of_one_run(parts, tmp_path):
    sound = []
    for n in (1, 2, 3):
        document = json.loads(parts[n].read_text())
        document["subjects"] = document["subjects"][:2]
        sound.append(tmp_path / f"{n}.json")
        sound[-1].write_text(json.dumps(document))
    assert conform("--merge", *map(str, sound)) == 0


def altered(path, folder, **changes):
    document = json.loads(path.read_text())
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        if inner:
            document[outer][inner] = value
        else:
            document[outer] = value
    written = folder / "altered.json"
    written.write_text(json.dumps(document))
    return written


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rules_version": "1"}, "judged by version 1 of the rules, this muxloop has"),
        ({"seed": 8}, "seed 8, but 7 in"),
        ({"profile": "default"}, "profile default, but quick in"),
        ({"plan": "0" * 12}, "plan 000000000000, but "),
        ({"environment__python": "CPython 2.7.0"}, "python CPython 2.7.0, but "),
        ({"shard": "2/4"}, "number of shards 4, but 3 in"),
        ({"shard": "1/3"}, "shard 1/3 again, after"),
        ({"shard": "x"}, "no part of a run; give I/N"),
        ({"shard": None}, "the report of a whole run; only those of --shard can be merged"),
        ({"subjects": []}, "subjects , but muxloop@select"),
        ({"schema": 2}, "no report of schema 1"),
    ],
)
def test_reports_that_do_not_fit_are_refused(parts, tmp_path, capsys, changes, told):
    odd = altered(parts[2], tmp_path, **changes)
    assert conform("--merge", str(parts[1]), str(odd), str(parts[3])) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_a_missing_shard_is_named(parts, capsys):
    assert conform("--merge", str(parts[3])) == 2
    assert capsys.readouterr().err == "muxloop: --merge: of 3 shards there is no report of 1, 2\n"


@pytest.mark.parametrize("option", [("muxloop",), ("--seed", "1"), ("-n", "2"), ("--database", "none")])
def test_merging_judges_nothing(parts, capsys, option):
    assert conform(*option, "--merge", str(parts[1])) == 2
    assert "not with --merge, which judges nothing" in capsys.readouterr().err


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "", "1/1001", "-1/2", "a/b", "1/2/3", "٢/٣"])
def test_a_shard_that_makes_no_sense(capsys, shard):
    assert conform("muxloop@select", "--seed", "1", f"--shard={shard}") == 2
    assert "no part of a run; give I/N, I from 1 to N" in capsys.readouterr().err


def test_shards_of_different_seeds_would_not_fit(capsys):
    assert conform("muxloop@select", "--shard", "1/2") == 2
    assert "give --seed N too, the same one to each shard" in capsys.readouterr().err
