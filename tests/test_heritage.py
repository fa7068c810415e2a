"""What a loop breaks because it is built on CPython's is told as inherited; a fault of its own is not."""

import asyncio
import json

import muxloop
import pytest
from muxloop.cli import main
from muxloop.conformance.rules import PLATFORM_FEATURES
from muxloop.conformance.verdict import Report

pytestmark = pytest.mark.skipif(
    not PLATFORM_FEATURES["signals"][0], reason="SIG-02 is about signals, which this platform lacks"
)
REFUSED = '[["refuse_signal","add SIGKILL"],["run"]]'
"""What shows the declared deviation: RuntimeError where the docs promise ValueError."""


class Heir(asyncio.SelectorEventLoop):
    """CPython's loop as it is."""


class ErringHeir(asyncio.SelectorEventLoop):
    """Breaks the same rule in another way, too: its answer is always None."""

    def remove_signal_handler(self, sig):
        super().remove_signal_handler(sig)


class Stranger(muxloop.EventLoop):
    """Not built on CPython's loop, and makes the same mistake."""

    def add_signal_handler(self, sig, callback, *args):
        try:
            super().add_signal_handler(sig, callback, *args)
        except ValueError as error:
            raise RuntimeError(str(error)) from error


class Deaf(asyncio.SelectorEventLoop):
    """Goes wrong by the same program at another place: no signal is refused."""

    def add_signal_handler(self, sig, callback, *args):
        pass


@pytest.fixture
def judged(tmp_path):
    """The exit code and the verdict of SIG-02 on a loop."""

    def run(loop, *arguments):
        path = tmp_path / "report.json"
        subject = f"{__name__}:{loop.__name__}"
        command = ["conform", subject, "--rules", "SIG-02", "--profile", "quick", "--json", str(path)]
        code = main([*command, *(arguments or ["--seed", "1"])])
        return code, Report.from_json(json.loads(path.read_text())).subjects[0].results[0]

    return run


@pytest.mark.parametrize("how", [("--program", REFUSED), ("--seed", "1")], ids=["one program", "made up"])
def test_what_asyncio_breaks_by_the_same_program_is_inherited(judged, how, capsys):
    code, verdict = judged(Heir, *how)
    assert (code, verdict.outcome) == (0, "broken")
    assert verdict.declared.startswith(
        "inherited: asyncio breaks it by the same program: add_signal_handler()"
    )
    told = capsys.readouterr().out
    assert "SIG-02 (level R) broken: declared" in told
    assert "inherited: asyncio breaks it" in told


def test_a_strict_run_counts_it(judged):
    assert judged(Heir, "--program", REFUSED, "--strict")[0] == 1


def test_nobody_else_inherits(judged, capsys):
    code, verdict = judged(Stranger, "--program", REFUSED)
    assert (code, verdict.outcome, verdict.declared) == (1, "broken", None)
    assert verdict.asyncio_too.startswith("add_signal_handler() of a signal that cannot be caught")
    told = " ".join(capsys.readouterr().out.split())
    assert "asyncio: is known to break this rule, too: add_signal" in told


def test_a_fault_of_its_own_is_found_beside_the_inherited_one(judged):
    code, verdict = judged(ErringHeir)
    assert (code, verdict.outcome, verdict.declared) == (1, "broken", None)
    assert verdict.witness.seen == "it returned None"


def test_the_same_rule_broken_in_another_way_is_its_own(judged):
    code, verdict = judged(Deaf, "--program", REFUSED)
    assert (code, verdict.outcome, verdict.declared) == (1, "broken", None)
