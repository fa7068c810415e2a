"""The one tolerance of a run: measured, scaled by MUXLOOP_TIME_SCALE, and told in the report."""

import json
import re

import pytest
from muxloop.cli import main
from muxloop.conformance.tolerance import Calibration, calibrate


@pytest.mark.parametrize(
    ("lateness_s", "work_s", "asked_for", "factor"),
    [
        (0.0001, 0.001, 1.0, 1.0),  # a quick machine makes no rule stricter
        (0.05, 0.001, 1.0, 5.0),
        (0.0001, 0.06, 1.0, 3.0),
        (9.0, 9.0, 1.0, 20.0),
        (0.0001, 0.001, 0.5, 0.5),
        (0.05, 0.001, 3.0, 15.0),
    ],
)
def test_the_factor_is_the_worse_of_both_times_what_was_asked_for(lateness_s, work_s, asked_for, factor):
    assert Calibration(lateness_s, work_s, asked_for).factor == pytest.approx(factor)


def test_the_variable_multiplies(monkeypatch):
    monkeypatch.setenv("MUXLOOP_TIME_SCALE", "2.5")
    scaled = calibrate()
    assert scaled.asked_for == 2.5
    assert scaled.factor >= 2.5


@pytest.mark.parametrize("spread", [(), ("-n", "1")], ids=["this process", "another"])
def test_the_report_tells(monkeypatch, tmp_path, spread):
    monkeypatch.setenv("MUXLOOP_TIME_SCALE", "2")
    path = tmp_path / "report.json"
    asked = ("--rules", "ORD-01", "--profile", "quick", "--json", str(path))
    assert main(["conform", "muxloop@select", *asked, *spread]) == 0
    environment = json.loads(path.read_text())["environment"]
    assert float(environment["tolerance"]) >= 2
    told = r"sleeps up to [\d.]+ ms late, work in [\d.]+ of the ordinary time; MUXLOOP_TIME_SCALE=2"
    assert re.fullmatch(told, environment["calibration"])
