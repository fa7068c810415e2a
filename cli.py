"""The ``muxloop`` command: backends, run, rules, conform.

Exit codes: 0 success; 1 a subject fails; 2 bad usage, told in one line; 3 the suite itself failed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .errors import MuxloopError, SuiteFailedError, UsageError

if TYPE_CHECKING:
    from .conformance.suite import Plan
    from .conformance.verdict import Report

EXIT_FAILED, EXIT_USAGE, EXIT_SUITE_FAILED, EXIT_INTERRUPTED = 1, 2, 3, 130
MOST_JOBS = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except MuxloopError as error:
        print(f"muxloop: {_told(error)}", file=sys.stderr)
        return EXIT_SUITE_FAILED if isinstance(error, SuiteFailedError) else EXIT_USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    return code


def _told(error: MuxloopError) -> str:
    """Its message: on one line, as a subject may have worded it; what the suite itself says stays whole."""
    from .conformance.report.inert import inert

    text = str(error) if isinstance(error, SuiteFailedError) else " ".join(str(error).splitlines())
    return inert(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="muxloop",
        description="Interchangeable I/O multiplexers behind one asyncio event loop, "
        "and the suite that judges every loop.",
    )
    parser.add_argument("--version", action="version", version=f"muxloop {metadata.version('muxloop')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    backends = commands.add_parser(
        "backends", help="what multiplexers are available, and why the rest is not"
    )
    backends.add_argument("--json", action="store_true", help="as JSON")
    backends.set_defaults(command=_backends)

    run = commands.add_parser(
        "run",
        help="run an unchanged asyncio program on muxloop",
        usage="muxloop run [--backend NAME] (SCRIPT | -m MODULE) [ARG …]",
    )
    run.add_argument(
        "--backend",
        metavar="NAME",
        help="epoll, kqueue, poll, select, uring, module:Class, or a,b,c in order of preference",
    )
    run.add_argument("-m", dest="is_module", action="store_true", help="TARGET is a module, as in python -m")
    run.add_argument("target", metavar="SCRIPT | MODULE")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")
    run.set_defaults(command=_run)

    rules = commands.add_parser("rules", help="the rules that loops and selectors are held to")
    form = rules.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as a page of Markdown: docs/rules.md")
    rules.set_defaults(command=_rules)

    _add_conform(commands)
    return parser


def _add_conform(commands: Any) -> None:
    conform = commands.add_parser(
        "conform",
        help="judge event loops and selectors by the rules",
        description="SUBJECT is NAME[@BACKEND] (muxloop, asyncio, uvloop, tornado, twisted, ...), "
        "MODULE:FACTORY[@BACKEND], selector:NAME or selector:MODULE:CLASS; without any: muxloop on every "
        "available backend, and every selector.",
    )
    conform.add_argument("subjects", nargs="*", metavar="SUBJECT")
    conform.add_argument(
        "--rules",
        metavar="GLOB,…",
        help="only these rules: ORD-01, TMR-*, ...; a leading ! leaves out, in single quotes for the shell: "
        "'TMR-*,!TMR-09', or '!TRN-*,!SRV-*' for all but these",
    )
    conform.add_argument("--profile", default="default", metavar="NAME", help="quick, default or thorough")
    conform.add_argument(
        "--seed", metavar="N", help="make up the same programs as the run that printed this seed"
    )
    conform.add_argument(
        "--program", metavar="JSON", help="play exactly this program instead of making up programs"
    )
    conform.add_argument("--shard", metavar="I/N", help="judge the I-th of N parts of the run; needs --seed")
    conform.add_argument(
        "--merge",
        nargs="+",
        default=[],
        metavar="REPORT",
        help="judge nothing: make one report of the JSON reports of all shards",
    )
    conform.add_argument(
        "--database",
        action="append",
        default=[],
        metavar="PLACE",
        help="where programs that failed are kept, to be played first: DIR, redis://HOST:PORT/N or none",
    )
    conform.add_argument("-n", dest="jobs", metavar="N", help="spread over N processes, or auto")
    conform.add_argument(
        "--strict", action="store_true", help="rules of any level count, and so do declared deviations"
    )
    conform.add_argument("--json", metavar="FILE", help="write the report as JSON")
    conform.add_argument("--html", metavar="FILE", help="write the report as one page of HTML")
    conform.add_argument("--junit", metavar="FILE", help="write the report as JUnit XML")
    conform.add_argument("--markdown", metavar="FILE", help="write the report as Markdown")
    conform.add_argument(
        "--programs", metavar="DIR", help="write each program that broke a rule there, as RULE_SUBJECT.py"
    )
    conform.add_argument("--compare", metavar="FILE", help="tell what has changed since this JSON report")
    conform.set_defaults(command=_conform)


def _backends(options: argparse.Namespace) -> int:
    from .selectors_impl import backends, is_validating, resolve_backend

    listed = backends()
    if options.json:
        print(json.dumps([dataclasses.asdict(backend) for backend in listed], indent=2))
        return 0
    width = max(len(backend.name) for backend in listed)
    for backend in listed:
        state = "available" if backend.available else f"not available: {backend.reason}"
        mark = "  (default)" if backend.default else ""
        origin = backend.source if backend.version is None else f"{backend.source} {backend.version}"
        source = "" if backend.source == "built in" else f"  from {origin}"
        print(f"{backend.name:{width}}  {state}{source}{mark}")
    print("Any selectors.BaseSelector will do, named module:Class: selectors:PollSelector")
    if is_validating():
        print("MUXLOOP_DEBUG_SELECTOR is on: every selector that is opened is watched for misuse")
    resolve_backend()  # a MUXLOOP_BACKEND that cannot be had is an error here too, after the list that helps
    return 0


def _run(options: argparse.Namespace) -> int:
    from .loop.launcher import run_program

    run_program(
        options.target, is_module=options.is_module, arguments=options.arguments, backend=options.backend
    )
    return 0


def _rules(options: argparse.Namespace) -> int:
    _need_extras()
    from .conformance.rules import LEVELS, RULES_VERSION, all_rules

    rules = all_rules()
    if options.json:
        listed = [
            {name: getattr(rule, name) for name in ("id", "level", "version", "sentence", "source", "judges")}
            for rule in rules
        ]
        print(json.dumps({"rules_version": RULES_VERSION, "levels": LEVELS, "rules": listed}, indent=2))
        return 0
    if options.markdown:
        from .conformance.report import rules_page

        sys.stdout.write(rules_page(rules, LEVELS, RULES_VERSION))
        return 0
    for rule in rules:
        print(f"{rule.id:8} {rule.level:4} {rule.sentence}\n{'':13} source: {rule.source}")
    print("\n" + "\n".join(f"{level:4} {meaning}" for level, meaning in LEVELS.items()))
    return 0


def _conform(options: argparse.Namespace) -> int:
    _need_extras()
    try:
        return _judge(options)
    except (MuxloopError, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        print("muxloop: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception:
        traceback.print_exc()
        print(
            "muxloop: the suite itself failed; this is a bug of muxloop's, please report it", file=sys.stderr
        )
        return EXIT_SUITE_FAILED


def _judge(options: argparse.Namespace) -> int:
    from .conformance.report import check_folder, check_writable, read_json
    from .conformance.suite import succeeded

    report_of = _merging(options) if options.merge else _judging(options)
    for path in (options.json, options.html, options.junit, options.markdown):
        if path is not None:
            check_writable(path)
    if options.programs is not None:
        check_folder(options.programs)
    earlier = read_json(options.compare) if options.compare is not None else None
    report = report_of()
    _tell(report, earlier, options)
    return 0 if succeeded(report, strict=options.strict) else EXIT_FAILED


def _tell(report: Report, earlier: Report | None, options: argparse.Namespace) -> None:
    """Print the report, and write it to the files asked for."""
    from .conformance.report import (
        compare,
        print_report,
        write_html,
        write_json,
        write_junit,
        write_markdown,
        write_programs,
    )
    from .conformance.rules import all_rules

    rules = all_rules()
    strict = options.strict
    compared = None
    if earlier is not None:
        compared = compare(earlier, report, named=options.compare, strict=strict)
    print_report(report, rules, sys.stdout, strict=strict, comparison=compared)
    if options.json is not None:
        write_json(report, options.json)
    if options.html is not None:
        write_html(report, rules, options.html, strict=strict, comparison=compared)
    if options.junit is not None:
        write_junit(report, rules, options.junit, strict=strict)
    if options.markdown is not None:
        write_markdown(report, rules, options.markdown, strict=strict, comparison=compared)
    if options.programs is not None:
        write_programs(report, options.programs, strict=strict)


def _merging(options: argparse.Namespace) -> Callable[[], Report]:
    """What makes one report of several; UsageError for options that are about judging."""
    from .conformance.merging import merged

    judging = ("subjects", "rules", "seed", "program", "shard", "database", "jobs")
    for name in judging:
        if getattr(options, name):
            told = {"subjects": "SUBJECT", "jobs": "-n"}.get(name, f"--{name}")
            raise UsageError(f"{told}: not with --merge, which judges nothing")
    return lambda: merged(options.merge)


def _judging(options: argparse.Namespace) -> Callable[[], Report]:
    """What judges as the options ask for; UsageError or SubjectError for what cannot be meant."""
    from .conformance.database import chosen
    from .conformance.sharding import shard_in
    from .conformance.subjects import default_subjects
    from .conformance.suite import Plan, globs_in, seed_in

    sys.path.insert(0, os.getcwd())  # MODULE:FACTORY may stand in the current folder
    seed = seed_in(options.seed, "--seed")
    plan = Plan.of(
        options.subjects or default_subjects(),
        globs_in(options.rules, "--rules"),
        options.profile,
        seed,
        shard=shard_in(options.shard, "--shard"),
        databases=() if options.program else chosen(options.database, "--database", seeded=seed is not None),
    )
    return lambda: _report(plan, options)


def _report(plan: Plan, options: argparse.Namespace) -> Report:
    from .conformance.parallel import run_in_processes
    from .conformance.report import open_progress
    from .conformance.suite import run, run_program

    if options.program is not None:
        return run_program(plan, options.program)
    jobs = _jobs(options.jobs)
    with open_progress(sys.stderr, sum(plan.pairs.values()), per_subject=plan.pairs) as progress:
        if jobs is not None and any(plan.pairs.values()):  # a late one of many shards may have nothing to do
            return run_in_processes(plan, jobs, progress.start, progress.finish, progress.found)
        return run(plan, progress.start, progress.finish, progress.found)


def _need_extras() -> None:
    """UsageError when what the suite stands on is not installed."""
    missing = [
        name for name in ("hypothesis", "pytest", "xdist", "rich", "jinja2") if find_spec(name) is None
    ]
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: not installed; the suite needs: pip install 'muxloop[conformance]'"
        )


def _jobs(text: str | None) -> str | None:
    if text is None or text == "auto":
        return text
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MOST_JOBS:
        raise UsageError(f"-n {text}: give a number of processes from 1 to {MOST_JOBS}, or auto")
    return text
