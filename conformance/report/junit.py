"""The run as JUnit XML, for CI servers: a suite per subject, a case per rule.

The shape is that of the junit-10 schema which the Jenkins xUnit plug-in publishes. A case is named by the
id of its rule alone: CI servers follow a case through history by its name, and sentences get reworded.

    broken, and it fails the subject            <failure>
    hung or crashed, and it fails the subject   <error>
    any deviation that does not fail            <skipped> with the reason
    not offered, skipped                        <skipped> with the reason
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from ..verdict import Report, SubjectReport, Verdict
from .catalogue import Catalogue, Rule
from .destination import AnyPath, write_whole
from .standing import Standing, standing_of

# XML 1.0 section 2.2 has no place for these, not even as character references.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(report: Report, rules: Iterable[Rule], path: AnyPath, *, strict: bool = False) -> None:
    """Write ``report`` as JUnit XML to ``path``, atomically; times are in seconds.

    With ``strict`` every broken rule is a failure, whatever its level and whether declared or not.
    Raises UsageError when ``path`` cannot be written.
    """
    catalogue = Catalogue(rules)
    root = ET.Element("testsuites", name="muxloop conform", time=_seconds(report.duration_s))
    totals = {"tests": 0, "failures": 0, "errors": 0}
    for subject in report.subjects:
        suite = _suite(report, subject, catalogue, strict)
        root.append(suite)
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    for name, total in totals.items():
        root.set(name, str(total))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    write_whole(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _suite(report: Report, subject: SubjectReport, catalogue: Catalogue, strict: bool) -> ET.Element:
    suite = ET.Element("testsuite", name=_xml(subject.subject))
    properties = ET.SubElement(suite, "properties")
    facts = {
        "version": subject.version,
        "backend": subject.backend or "",
        "rules_version": report.rules_version,
        "seed": str(report.seed),
        "profile": report.profile,
        **report.environment,
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=_xml(name), value=_xml(value))
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for verdict in subject.results:
        case = _case(subject, verdict, catalogue.of(verdict), strict)
        suite.append(case)
        for kind in counts:
            counts[kind] += case.find(kind) is not None
    suite.set("tests", str(len(subject.results)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    suite.set("time", _seconds(sum(verdict.duration_s for verdict in subject.results)))
    return suite


def _case(subject: SubjectReport, verdict: Verdict, rule: Rule, strict: bool) -> ET.Element:
    case = ET.Element(
        "testcase",
        name=_xml(verdict.rule),
        # Dots part a class name into packages, and a subject may hold dots of its own.
        classname=_xml(f"{subject.subject.replace('.', '_')}.{rule.group}"),
        time=_seconds(verdict.duration_s),
    )
    standing = standing_of(verdict, strict=strict)
    if standing is Standing.FAILS:
        kind = "failure" if verdict.outcome == "broken" else "error"
        found = ET.SubElement(
            case, kind, type=verdict.outcome, message=_xml(f"{_named(verdict)}: {rule.sentence}")
        )
        found.text = _xml(_detail(verdict, rule))
    elif verdict.bad:
        why = f"declared deviation: {verdict.declared}" if verdict.declared is not None else "deviates"
        found = ET.SubElement(case, "skipped", type=standing.value, message=_xml(f"{_named(verdict)}, {why}"))
        found.text = _xml(_detail(verdict, rule))
    elif standing is Standing.UNJUDGED:
        message = f"{verdict.outcome}: {verdict.message}" if verdict.message else verdict.outcome
        ET.SubElement(case, "skipped", type=verdict.outcome, message=_xml(message))
    if verdict.witness is not None and verdict.witness.stderr:
        ET.SubElement(case, "system-err").text = _xml(verdict.witness.stderr)
    return case


def _named(verdict: Verdict) -> str:
    return f"{verdict.rule} ({verdict.level}) {verdict.outcome}"


def _detail(verdict: Verdict, rule: Rule) -> str:
    lines = [rule.sentence, f"source: {rule.source}"]
    if verdict.remark:
        lines.append(verdict.remark)
    if verdict.witness is not None:
        witness = verdict.witness
        lines += [f"expected: {witness.expected}", f"seen: {witness.seen}", "", witness.python.rstrip()]
    if verdict.reproduce:
        lines += ["", f"reproduce: {verdict.reproduce}"]
    return "\n".join(lines)


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.3f}"


def _xml(text: str) -> str:
    return _NO_XML.sub(lambda found: ascii(found[0])[1:-1], text)
