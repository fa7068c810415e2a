"""The suite as a pytest plug-in: one test per subject and rule.

    pytest --muxloop-subject=mypackage:new_event_loop [--muxloop-rules=ORD-*,TMR-*] [--muxloop-profile=quick]

A rule that looks on while others are judged (``looks_on``) may be found broken by programs of another one:
the test of that other one tells it, for its own may have run already, or in another process.

Without the option the plug-in adds nothing. With pytest-xdist (``-n auto``) the tests spread over processes;
``--junitxml=FILE`` has a case per subject and rule, with the whole verdict as a property.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

VERDICT_PROPERTY = "muxloop_verdict"
"""The user property of a test report that holds the verdict, as JSON."""
INCIDENTAL_PROPERTY = "muxloop_incidental"
"""The user property with the bad verdict, as JSON, on a rule that looked on; there may be several."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("muxloop", "muxloop's conformance suite")
    group.addoption(
        "--muxloop-subject",
        action="append",
        default=[],
        metavar="SUBJECT",
        help="judge this loop or selector (MODULE:FACTORY, NAME[@BACKEND], selector:…); may be repeated",
    )
    group.addoption("--muxloop-rules", default=None, metavar="GLOB,…", help="judge by these rules only")
    group.addoption(
        "--muxloop-profile", default="default", metavar="PROFILE", help="quick, default or thorough"
    )
    group.addoption("--muxloop-seed", default=None, metavar="N", help="the seed of the generated programs")
    group.addoption("--muxloop-shard", default=None, metavar="I/N", help="judge only this part of the pairs")
    group.addoption(
        "--muxloop-database",
        action="append",
        default=[],
        metavar="PLACE",
        help="where programs that failed are kept: a folder, redis://HOST:PORT/N, or none",
    )
    group.addoption(
        "--muxloop-strict", action="store_true", help="a broken rule of any level fails, declared or not"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    specs = config.getoption("--muxloop-subject")
    if not specs:
        return
    from ..errors import MuxloopError

    try:
        items.extend(_rule_tests(session, config, specs))
    except MuxloopError as error:
        raise pytest.UsageError(str(error)) from None


def _rule_tests(session: pytest.Session, config: pytest.Config, specs: list[str]) -> Iterator[RuleTest]:
    from .database import chosen
    from .sharding import shard_in
    from .suite import Plan, globs_in
    from .tolerance import tolerance

    seeded = config.getoption("--muxloop-seed") is not None
    plan = Plan.of(
        specs,
        globs_in(config.getoption("--muxloop-rules"), "--muxloop-rules"),
        config.getoption("--muxloop-profile"),
        _shared_seed(config),
        shard=shard_in(config.getoption("--muxloop-shard"), "--muxloop-shard"),
        databases=chosen(config.getoption("--muxloop-database"), "--muxloop-database", seeded=seeded),
    )
    widened = tolerance()
    tests = []
    for subject in plan.subjects:
        bench = plan.bench_for(subject, widened)
        config.add_cleanup(bench.close)
        # Below no file: a test is called SUBJECT::RULE, and JUnit's class is the subject.
        under = SubjectCollector.from_parent(session, name=subject.spec, nodeid=subject.spec)
        tests += [RuleTest.from_parent(under, name=rule.id, bench=bench, rule=rule) for rule in bench.rules]
    # Rule by rule: its programs are made up once for all subjects.
    places = {rule.id: place for place, rule in enumerate(plan.rules)}
    yield from sorted(tests, key=lambda test: places[test.rule.id])


def _shared_seed(config: pytest.Config) -> int | None:
    """The seed asked for; the processes of xdist share one made from the run's own id."""
    from .suite import seed_in

    text = config.getoption("--muxloop-seed")
    if text is None:
        run_id = getattr(config, "workerinput", {}).get("testrunuid")
        return int(str(run_id)[:8], 16) if run_id else None
    return seed_in(text, "--muxloop-seed")


class SubjectCollector(pytest.Collector):
    """The parent of one subject's tests."""

    def collect(self) -> list[pytest.Item]:
        """The tests are put in by the plug-in, after pytest's own collection."""
        return []


class RuleTest(pytest.Item):
    """One rule, judged on one subject."""

    def __init__(self, *, bench: Any, rule: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.bench, self.rule = bench, rule
        self.add_marker(f"level_{rule.level}")

    def runtest(self) -> None:
        from .report.printed import verdict_in_words
        from .report.standing import Standing, standing_of

        verdict, found = self.bench.judge(self.rule), self.bench.take_incidental()
        self.user_properties.append((VERDICT_PROPERTY, json.dumps(asdict(verdict))))
        self.user_properties += [(INCIDENTAL_PROPERTY, json.dumps(asdict(each))) for each in found]
        strict = self.config.getoption("--muxloop-strict")
        weighed = [(each, standing_of(each, strict=strict)) for each in (verdict, *found)]
        failures = [each for each, standing in weighed if standing is Standing.FAILS]
        if failures:
            spec = self.bench.subject.spec
            raise _FailedRuleError("\n\n".join(verdict_in_words(spec, each) for each in failures))
        deviations = [
            f"{each.rule} (level {each.level}) {standing}: {each.declared or each.message}"
            for each, standing in weighed
            if each.bad
        ]
        if deviations:
            pytest.xfail("; ".join(deviations))
        if verdict.outcome != "held":
            pytest.skip(f"{verdict.outcome}: {verdict.message}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict in words; a traceback would lead into the suite."""
        if isinstance(excinfo.value, _FailedRuleError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        return "muxloop", None, f"{self.bench.subject.spec}: {self.rule.id} {self.rule.sentence}"


class _FailedRuleError(Exception):
    """A rule is broken and that counts."""


def pytest_configure(config: pytest.Config) -> None:
    for level in ("R", "P", "C", "own"):
        config.addinivalue_line("markers", f"level_{level}: conformance rules of level {level}")
