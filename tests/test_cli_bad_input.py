"""Whatever a user gets wrong is told in one line that says what is allowed, with exit code 2."""

import sys

import pytest
from muxloop.cli import main

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="names the backends of Linux")


def refused(capsys, *arguments):
    """The one line on standard error."""
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("muxloop: ")
    return lines[0].removeprefix("muxloop: ")


def refused_conform(capsys, *arguments, subject="muxloop@select", rules="ORD-01"):
    return refused(capsys, "conform", subject, "--profile", "quick", "--rules", rules, *arguments)


@ON_LINUX
@pytest.mark.parametrize(
    "arguments", [("run", "--backend", "kqueue", __file__), ("conform", "muxloop@kqueue"), ("backends",)]
)
def test_an_unavailable_backend_says_why_and_what_there_is(capsys, monkeypatch, arguments):
    if arguments == ("backends",):
        monkeypatch.setenv("MUXLOOP_BACKEND", "kqueue")
    line = refused(capsys, *arguments)
    assert "kqueue: not available on linux (select has no kqueue); available: epoll, poll, select" in line


@pytest.mark.parametrize("arguments", [("run", "--backend", "nope", __file__), ("conform", "selector:nope")])
def test_an_unknown_backend_says_what_there_is(capsys, arguments):
    assert "nope: not a known backend; available: " in refused(capsys, *arguments)


def test_an_empty_variable_counts_as_unset(capsys, monkeypatch):
    monkeypatch.setenv("MUXLOOP_BACKEND", "")
    assert main(["backends"]) == 0
    assert "(default)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ("nope", "nope: no subject of that name; known: muxloop, asyncio, uvloop, rloop, zloop"),
        ("", "no subject of that name"),
        ("uvloop@poll", "uvloop brings its own multiplexer, no backend can be chosen"),
        ("asyncio@", "names no backend; available: "),
        ("no_such_module:factory", "cannot import no_such_module: No module named 'no_such_module'"),
        ("hostile_factories:missing", "hostile_factories has no callable 'missing'"),
        ("selector:selectors:Missing", "selectors has no callable 'Missing'"),
        ("hostile_factories:", "is not MODULE:NAME"),
        (":factory", "is not MODULE:NAME"),
        ("..:factory", "is not MODULE:NAME"),
        ("hostile factories:sound", "is not MODULE:NAME"),
        ("selector:a\nb:c", "is not MODULE:NAME"),
        ("hostile_factories:raises", r"its factory raised ValueError: no such luck and a second line \x1b"),
        ("hostile_factories:gives_nothing", "its factory returned None, not an event loop"),
        ("selector:hostile_factories:gives_nothing", "its factory returned None, not a selector"),
        ("hostile_factories:needs_an_argument", "its factory raised TypeError: needs_an_argument() missing"),
        ("hostile_factories:recurses", "its factory raised RecursionError"),
        ("hostile_factories:has_no_memory", "its factory raised MemoryError"),
    ],
)
def test_a_subject_that_cannot_be_had(capsys, subject, told):
    rules = "SEL-01" if subject.startswith("selector:") else "ORD-01"
    assert told in refused_conform(capsys, subject=subject, rules=rules)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_thing", "cannot import broken_module: No module named 'no_such_thing'"),
        ("1 / 0", "importing broken_module raised ZeroDivisionError: division by zero"),
        ("def loop(:", "importing broken_module raised SyntaxError"),
    ],
)
def test_a_module_that_fails_to_import(capsys, monkeypatch, tmp_path, source, told):
    (tmp_path / "broken_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert told in refused_conform(capsys, subject="broken_module:loop")


def test_a_loop_that_is_not_installed_says_how_to_get_it(capsys, monkeypatch, tmp_path):
    (tmp_path / "rloop.py").write_text("raise ModuleNotFoundError(\"No module named 'rloop'\", name='rloop')")
    monkeypatch.syspath_prepend(tmp_path)
    line = refused_conform(capsys, subject="rloop")
    assert line == "rloop: rloop is not installed; get it with: pip install rloop"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="zloop can be had from 3.12 on")
def test_a_loop_for_later_pythons_says_so(capsys):
    assert refused(capsys, "conform", "zloop") == "zloop: zloop needs Python 3.12 or later; this is 3.11"


@pytest.mark.parametrize("glob", ["NOPE-*", "ORD", "ord-01", "ORD-01,SEL-99"])
def test_an_unknown_rule(capsys, glob):
    line = refused_conform(capsys, rules=glob)
    assert "no rule fits; groups: ORD, TMR, HEAP, CAN, IO, SEL, THR, " in line


@pytest.mark.parametrize("globs", ["", ",", " , "])
def test_a_list_without_a_rule(capsys, globs):
    assert "names no rule; give ids or globs" in refused_conform(capsys, rules=globs)


def test_rules_that_judge_nothing_that_was_named(capsys):
    assert "these rules judge selectors" in refused_conform(capsys, rules="SEL-*")


@pytest.mark.parametrize("seed", ["abc", "-1", "1.5", "", "1e3", "٣", "0x10", str(2**64), "9" * 5000])
def test_a_malformed_seed(capsys, seed):
    line = refused_conform(capsys, f"--seed={seed}")
    assert line.endswith("a seed is a whole number from 0 to 18446744073709551615")
    assert len(line) < 200


def test_an_unknown_profile(capsys):
    assert (
        refused_conform(capsys, "--profile", "slow") == "--profile slow: there are quick, default, thorough"
    )


@pytest.mark.parametrize("jobs", ["0", "x", "-3", "257", "1.5", "", "9" * 5000])
def test_a_number_of_processes_that_makes_no_sense(capsys, jobs):
    assert "give a number of processes from 1 to 256, or auto" in refused_conform(capsys, f"-n{jobs or ' '}")


@pytest.mark.parametrize("scale", ["x", "0", "-1", "inf", "nan", "1e300"])
def test_a_time_scale_that_makes_no_sense(capsys, monkeypatch, scale):
    monkeypatch.setenv("MUXLOOP_TIME_SCALE", scale)
    line = refused_conform(capsys)
    assert line.startswith(f"MUXLOOP_TIME_SCALE={scale}: not a positive number up to 1000; unset it or give")


@pytest.mark.parametrize("option", ["--json", "--html", "--junit", "--markdown"])
@pytest.mark.parametrize(
    ("path", "told"),
    [("", "the path is empty"), (".", "it is a folder"), ("missing/report", "create it first")],
)
def test_a_report_path_is_tried_before_the_run(capsys, monkeypatch, tmp_path, option, path, told):
    monkeypatch.chdir(tmp_path)
    assert told in refused_conform(capsys, option, path, subject="hostile_factories:raises")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing.json", "No such file"),
        ("text.json", "line 1 is not JSON"),
        ("other.json", "it is no report of schema 1: the document has no schema"),
    ],
)
def test_an_earlier_report_is_read_before_the_run(capsys, tmp_path, name, told):
    (tmp_path / "text.json").write_text("All held.")
    (tmp_path / "other.json").write_text('{"name": "muxloop"}')
    path = str(tmp_path / name)
    line = refused_conform(capsys, "--compare", path, subject="hostile_factories:raises")
    assert line.startswith(f"cannot read a report from {path!r}: ")
    assert told in line


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_full_disk_is_told_after_the_run(capsys):
    arguments = (
        "conform",
        "muxloop@select",
        "--profile",
        "quick",
        "--rules",
        "ORD-01",
        "--json",
        "/dev/full",
    )
    assert main(arguments) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "muxloop: cannot write a report to '/dev/full': No space left on device"


NESTED = '[["soon","c",' * 300 + "[]" + "]]" * 300
PROGRAMS = [
    ("nonsense", "not JSON"),
    ('[["later","c",NaN,[]]]', "NaN is no JSON; a delay may be 'nan' or 'inf'"),
    ("{}", "the program is {}, not a list of actions"),
    ("[1]", "1 is not an action: a list that starts with its kind"),
    ("[[]]", "[] is not an action"),
    ('[["nope"]]', "no action 'nope'; nearest: "),
    ('[["call_soon"]]', "no action 'call_soon'; nearest: soon, "),
    ('[["register",0,"r"]]', "no action 'register'; nearest: "),
    ('[["soon"]]', "'soon' takes (label, body, value?), not 0 arguments"),
    ('[["run",1]]', "'run' takes (), not 1 arguments"),
    ('[["soon","c",1]]', "the body of 'soon' is 1, not a list of actions"),
    ('[["soon","",[]]]', "'soon' has '' as label; it takes a name"),
    ('[["soon","c",[],true]]', "'soon' has True as value; it takes a whole number"),
    ('[["later","c","soon",[]]]', "it takes a number of ms, 'nan' or 'inf'"),
    ('[["later","c",1e999,[]]]', "it takes a number of ms, 'nan' or 'inf'"),
    ('[["block",99999]]', "it takes a number of ms up to 2000"),
    ('[["attempt","fly"]]', "it takes one of 'call_soon', "),
    ('[["send",64,1]]', "it takes a whole number below 64"),
    ('[["send",0,100000000]]', "it takes a whole number up to 100000"),
    ('[["soon","c",[["run"]]]]', "'run' stands inside 'soon'; it belongs outside all bodies"),
    ('[["yield"]]', "'yield' is no step of a task; it belongs right into the body of one"),
    ('[["task","t",[["soon","c",[["yield"]]]]]]', "'yield' is no step of a task"),
    (NESTED, "nested deeper than 40 bodies"),
    ("[" * 100_000, "nested deeper than 40 bodies"),
    ("[[" + "[" * 50 + "]" * 50 + "]]", "is not an action"),
]


@pytest.mark.parametrize(("program", "told"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_that_is_none(capsys, program, told):
    line = refused_conform(capsys, "--program", program)
    assert line.startswith("--program: ")
    assert told in line
    assert len(line) < 1200


def test_a_program_for_a_loop_is_none_for_a_selector(capsys):
    line = refused_conform(capsys, "--program", '[["run"]]', subject="selector:select", rules="SEL-01")
    assert "there are 27: abandon, alarm, " in line


@pytest.mark.parametrize("arguments", [(), ("conform", "--nope"), ("rules", "extra"), ("run",)])
def test_usage_is_told_by_the_parser(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
