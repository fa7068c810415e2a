"""A program that broke a rule once is played first the next time."""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest
import redis_servers
from muxloop.cli import main
from muxloop.conformance.database import cache_folder, chosen
from muxloop.conformance.judging import PROFILES
from muxloop.conformance.program import as_json, as_tuples
from muxloop.conformance.verdict import Report

FAULTY = "faulty_loops:cancelled_in_batch_runs"
"""Breaks CAN-01 with more or less every program."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """How small a program gets does not matter here."""
    monkeypatch.setitem(PROFILES, "quick", dataclasses.replace(PROFILES["quick"], shrink_s=0.2))


def verdict(tmp_path, *arguments, subject=FAULTY, rule="CAN-01"):
    path = tmp_path / "report.json"
    main(["conform", subject, "--rules", rule, "--profile", "quick", "--json", str(path), *arguments])
    return Report.from_json(json.loads(path.read_text())).subjects[0].results[0]


@pytest.fixture
def redis_server(tmp_path):
    """The address of a Redis server of the test's own."""
    with redis_servers.redis_server(tmp_path) as url:
        yield f"{url}/3"


@pytest.fixture(params=["folder", "redis"])
def place(request, tmp_path):
    if request.param == "redis":
        return request.getfixturevalue("redis_server")
    return str(tmp_path / "failed" / "programs")


def test_what_failed_once_is_played_first(tmp_path, place):
    found = verdict(tmp_path, "--database", place, "--seed", "7")
    again = verdict(tmp_path, "--database", place)
    assert again.outcome == "broken"
    assert again.reproduce == found.reproduce
    assert again.examples <= 4 < found.examples


def test_the_processes_of_a_spread_run_share_it(tmp_path):
    folder = str(tmp_path / "programs")
    verdict(tmp_path, "--database", folder, "--seed", "7")
    assert verdict(tmp_path, "--database", folder, "-n", "1").examples <= 4


def test_databases_of_different_subjects_and_rules_are_apart(tmp_path):
    place = str(tmp_path / "programs")
    verdict(tmp_path, "--database", place, "--seed", "7")
    for elsewhere in ({"rule": "ORD-01"}, {"subject": "muxloop@select"}):
        other = verdict(tmp_path, "--database", place, "--seed", "7", **elsewhere)
        assert other.outcome == "held"
        assert other.examples > 4


def kept(folder):
    return [
        path.read_text() for path in folder.rglob("*") if path.is_file() and b'"run"' in path.read_bytes()
    ]


def test_what_breaks_the_rule_no_more_is_thrown_away(tmp_path, monkeypatch):
    module = tmp_path / "mended_one_day.py"
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "programs"
    module.write_text("from faulty_cancellation import CancelledInBatchRuns as loop\n")
    subject = "mended_one_day:loop"
    found = verdict(tmp_path, "--database", str(folder), "--seed", "7", subject=subject)
    assert kept(folder) == [as_json(as_tuples(found.witness.program))]
    module.write_text("from asyncio import SelectorEventLoop as loop\n")
    assert verdict(tmp_path, "--database", str(folder), subject=subject).outcome == "held"
    assert kept(folder) == []


def test_a_database_that_is_only_read_is_not_changed(tmp_path):
    folder = tmp_path / "programs"
    verdict(tmp_path, "--database", str(folder), "--seed", "7")
    before = kept(folder)
    assert verdict(tmp_path, "--database", f"read-only:{folder}").examples <= 4
    verdict(tmp_path, "--database", f"read-only:{folder}", "--seed", "1", rule="CAN-02")
    assert kept(folder) == before != []


def test_several_databases_are_read_and_written(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    verdict(tmp_path, "--database", str(one), "--seed", "7")
    assert verdict(tmp_path, "--database", str(two), "--database", str(one)).examples <= 4
    assert kept(two) == kept(one) != []


def test_what_is_kept_may_be_anything(tmp_path):
    """Other people write into a shared database."""
    folder = tmp_path / "programs"
    verdict(tmp_path, "--database", str(folder), "--seed", "7")
    (path,) = [path for path in folder.rglob("*") if path.is_file() and b'"run"' in path.read_bytes()]
    for n, text in enumerate([b"\xff\xfe", b"[[1]]", b'[["no such action"]]', b"", b"[" * 100_000]):
        path.with_name(f"{n}").write_bytes(text)
    assert verdict(tmp_path, "--database", str(folder)).outcome == "broken"


def test_with_a_seed_alone_nothing_is_read_or_written(tmp_path, monkeypatch):
    monkeypatch.delenv("MUXLOOP_DATABASE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert chosen([], "--database", seeded=True) == ()
    assert not cache_folder().exists()
    (default,) = chosen([], "--database", seeded=False)
    assert Path(default).is_relative_to(tmp_path)
    assert Path(default).is_dir()


def test_the_variable_names_a_database_too(tmp_path, monkeypatch):
    monkeypatch.setenv("MUXLOOP_DATABASE", str(tmp_path / "programs"))
    assert chosen([], "--database", seeded=True) == (str(tmp_path / "programs"),)
    assert chosen(["none"], "--database", seeded=True) == ()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_keeps_nothing(monkeypatch):
    monkeypatch.delenv("MUXLOOP_DATABASE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert chosen([], "--database", seeded=False) == ()


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (["none", "x"], "--database none: stands alone"),
        (["ftp://x"], "give a folder, redis://HOST:PORT/N, or none"),
        ([""], "give a folder, redis://HOST:PORT/N, or none"),
        ([__file__], "File exists"),
        (["read-only:/no/such/folder"], "No such file or directory"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows words its errors otherwise")
def test_a_database_that_cannot_be_had(capsys, places, told):
    named = [part for place in places for part in ("--database", place)]
    assert main(["conform", "muxloop@select", "--rules", "ORD-01", *named]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.mark.parametrize("url", ["redis://user:secret@127.0.0.1:1/0", "redis://secret@:x/y"])
def test_a_server_that_does_not_answer(capsys, url):
    pytest.importorskip("redis", reason="the Python client of Redis is not installed")
    assert main(["conform", "muxloop@select", "--rules", "ORD-01", "--database", url]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no Redis answers there" in line
    assert "secret" not in line


def test_a_server_that_goes_away_does_not_end_the_run(tmp_path, redis_server, monkeypatch):
    import redis

    def gone(*_, **__):
        raise redis.ConnectionError("gone")

    monkeypatch.setattr("hypothesis.extra.redis.RedisExampleDatabase.fetch", gone)
    monkeypatch.setattr("hypothesis.extra.redis.RedisExampleDatabase.save", gone)
    assert verdict(tmp_path, "--database", redis_server, "--seed", "7").outcome == "broken"


def test_a_report_says_what_was_kept_where(tmp_path):
    path = tmp_path / "report.json"
    asked = ("--rules", "ORD-01", "--profile", "quick", "--json", str(path))
    main(["conform", "muxloop@select", *asked, "--database", str(tmp_path / "programs")])
    assert json.loads(path.read_text())["environment"]["database"] == str(tmp_path / "programs")
