"""The benchmarks run, name everybody, and give figures that make sense. No figure is judged here."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from muxloop import backends
from muxloop.bench import contestants
from muxloop.bench.__main__ import main
from muxloop.bench.benchmark import quantile
from muxloop.bench.catalogue import BENCHMARKS
from muxloop.bench.comparison import paired_ratio

BUILT_IN = [backend for backend in backends() if backend.source == "built in"]

# The rest of a record's key, besides who it is about.
CASE = {"lateness": ("delay_ms",)}


@pytest.fixture(scope="module", params=BENCHMARKS)
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a quick run writes, with what it prints."""
    path = tmp_path_factory.mktemp("bench") / "figures.json"
    run = subprocess.run(
        [sys.executable, "-m", "muxloop.bench", request.param, "--quick", "--json", path],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found["printed"] = run.stdout
    return found


def test_everybody_is_measured_or_absent_with_a_reason(document: dict[str, Any]) -> None:
    every = {contestant.name: contestant.absent for contestant in contestants_of(document)}
    measured = {record["contestant"] for record in document["results"]}
    assert measured == {name for name, absent in every.items() if absent is None}
    assert document["absent"] == {name: absent for name, absent in every.items() if absent is not None}
    for name in every:
        assert re.search(rf"^\| {re.escape(name)} |^absent: {re.escape(name)}: .", document["printed"], re.M)


def test_everybody_is_measured_alike(document: dict[str, Any]) -> None:
    case = CASE.get(document["benchmark"], ("case", "figure"))
    cases: dict[str, list[tuple[Any, ...]]] = {}
    for record in document["results"]:
        cases.setdefault(record["contestant"], []).append(tuple(record[field] for field in case))
    first, *rest = cases.values()
    assert len(set(first)) == len(first)
    assert all(other == first for other in rest)


def test_figures_are_numbers_in_order(document: dict[str, Any]) -> None:
    for record in document["results"]:
        figures = [value for name, value in record.items() if name.endswith("_us")]
        assert figures
        assert all(math.isfinite(value) for value in figures), record
        ordered = [
            record[name]
            for name in ("min_us", "p10_us", "p50_us", "p90_us", "p99_us", "max_us")
            if name in record
        ]
        assert ordered == sorted(ordered)


def test_a_run_says_when_and_where_it_was(document: dict[str, Any]) -> None:
    found = document["environment"]
    assert {"date", "python", "kernel", "machine", "cpus", "load", "load_after", "versions"} <= set(found)
    assert found["kernel"] in document["printed"]
    assert document["settings"]["quick"] is True


@pytest.mark.parametrize("document", ["lateness"], indirect=True)
def test_lateness_counts_its_samples(document: dict[str, Any]) -> None:
    for record in document["results"]:
        assert 0 <= record["early"] <= record["samples"]
        if record["contestant"].startswith("muxloop@"):
            assert record["early"] == 0
            assert record["min_us"] >= 0


@pytest.mark.parametrize("document", ["wakeups", "micro", "echo"], indirect=True)
def test_everybody_is_compared_with_the_standard_library(document: dict[str, Any]) -> None:
    for record in document["results"]:
        assert record["ratio"] is not None
        if record["contestant"].startswith(("selector:selectors:", "asyncio@")):
            assert record["ratio"] == 1


def contestants_of(document: dict[str, Any]) -> list[contestants.Contestant]:
    return BENCHMARKS[document["benchmark"]](quick=True).contestants()


def test_every_backend_takes_part() -> None:
    names = {contestant.name for contestant in [*contestants.loops(), *contestants.selectors_of_all()]}
    assert names >= {f"muxloop@{backend.name}" for backend in BUILT_IN}
    assert names >= {f"selector:{backend.name}" for backend in BUILT_IN}
    assert "uvloop" in names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speed"], "invalid choice: 'speed'"),
        ([], "required: NAME"),
        (["lateness", "--files", "3"], "unrecognized arguments"),
        (["wakeups", "--files", "many"], "invalid int value: 'many'"),
        (["wakeups", "--files", "-1"], "give a number of files to watch, 2 or more"),
        (["lateness", "--json", "."], "--json .: cannot be written"),
    ],
)
def test_bad_usage_is_told_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files")
def test_more_files_than_can_be_opened_are_refused_with_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] == resource.RLIM_INFINITY:
        pytest.skip("this process may open any number of files")
    try:
        assert main(["wakeups", "--quick", "--files", str(1 << 40)]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    message = capsys.readouterr().err
    assert "RLIMIT_NOFILE" in message
    assert f"--files {resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 64}" in message


def test_a_contestant_that_falls_out_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    real = contestants.Contestant(
        f"muxloop@{[backend for backend in BUILT_IN if backend.available][-1].name}"
    )
    fake = contestants.Contestant("asyncio@nothing")
    monkeypatch.setattr(contestants, "loops", lambda: [fake, real])
    path = tmp_path / "figures.json"
    assert main(["lateness", "--quick", "--json", str(path)]) == 1
    assert "absent: asyncio@nothing: failed: UsageError: asyncio@nothing: no loop" in capsys.readouterr().out
    assert {record["contestant"] for record in json.loads(path.read_text())["results"]} == {real.name}


@pytest.mark.parametrize("name", ["lateness", "micro"])
def test_a_run_of_which_everybody_falls_out_still_reports(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contestants, "loops", lambda: [contestants.Contestant("asyncio@nothing")])
    assert main([name, "--quick"]) == 1
    assert "absent: asyncio@nothing: failed: UsageError" in capsys.readouterr().out


def test_quantiles_are_values_that_occurred() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [quantile(values, share) for share in (0, 0.2, 0.21, 0.5, 0.99, 1)] == [1, 1, 2, 3, 5, 5]


def test_a_ratio_pairs_the_rounds() -> None:
    assert paired_ratio([1, 20, 3], [2, 10, 6]) == 0.5
