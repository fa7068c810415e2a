"""The JSON report keeps to the schema that is shipped, and what does not is refused in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from muxloop.cli import main
from muxloop.conformance.report import read_json, write_json
from muxloop.conformance.report.shape import misfit, report_schema
from muxloop.conformance.verdict import Report
from muxloop.errors import UsageError
from test_report_samples import full_report, sample_report

jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema, which has no wheel here")


def written(report: Report, folder: Path) -> Any:
    write_json(report, folder / "report.json")
    return json.loads((folder / "report.json").read_text("utf-8"))


def sealed(schema: Any) -> Any:
    """The schema, with nothing allowed that it does not describe."""
    if isinstance(schema, list):
        return [sealed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: sealed(part) for name, part in schema.items()}
    if "properties" in schema and isinstance(schema["properties"], dict):
        parts.setdefault("additionalProperties", False)
    return parts


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place within a document: what holds it, and under which name or number."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        yield value, name
        yield from places(member)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


@pytest.mark.parametrize("report", [full_report(), sample_report()], ids=["full", "empty"])
def test_a_report_holds_what_the_schema_describes_and_no_more(report: Report, tmp_path: Path) -> None:
    jsonschema.Draft202012Validator(sealed(report_schema())).validate(written(report, tmp_path))


def test_the_report_of_a_real_run_fits(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    arguments = ["--profile", "quick", "--rules", "TMR-09,ORD-01", "--json", str(path)]
    main(["conform", "asyncio@select", "selector:select", "--rules", "SEL-04", *arguments])
    document = json.loads(path.read_text("utf-8"))
    assert any(result["witness"] for subject in document["subjects"] for result in subject["results"])
    jsonschema.Draft202012Validator(sealed(report_schema())).validate(document)
    assert read_json(path).as_json() == document


def test_whatever_is_spoilt_is_told_by_both_readings(tmp_path: Path) -> None:
    sound = written(full_report(), tmp_path)
    validator = jsonschema.Draft202012Validator(report_schema())
    # One of each kind of place will do: all verdicts are alike.
    sound["subjects"] = sound["subjects"][2:3]
    sound["subjects"][0]["results"] = [r for r in sound["subjects"][0]["results"] if r["witness"]][:1]
    sound["subjects"][0]["results"][0]["witness"]["history"] = [
        {"at_ms": 1, "lane": "a", "event": "b", "label": "c", "detail": "d"}
    ]
    assert misfit(sound) is None
    told = 0
    for number in range(len(list(places(sound)))):
        for spoilt in (None, True, "text", -1, [], {}, ...):
            document = copy.deepcopy(sound)
            holder, name = list(places(document))[number]
            if spoilt is ...:
                del holder[name]
            else:
                holder[name] = spoilt
            ours = misfit(document)
            assert (ours is None) == validator.is_valid(document), (name, spoilt, ours)
            told += ours is not None
            assert ours is None or "\n" not in ours
    assert told > 100


def test_members_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    document = written(full_report(), tmp_path)
    holders = [document, *document["subjects"]]
    holders += [verdict for subject in document["subjects"] for verdict in subject["results"]]
    holders += [holder["witness"] for holder in holders if holder.get("witness")]
    for holder in holders:
        holder["added_later"] = 1
    (tmp_path / "later.json").write_text(json.dumps(document))
    assert read_json(tmp_path / "later.json") == full_report()


NO_REPORTS = {
    "nothing": (b"", "line 1 is not JSON"),
    "text": (b"All held.\nHonestly.", "line 1 is not JSON"),
    "not text": (b"\xff\xfe\x00", "it is not UTF-8 text"),
    "another document": (b'{"name": "muxloop"}', "it is no report of schema 1: the document has no schema"),
    "a list": (b"[]", "the document is a list, not an object"),
    "a later schema": (b'{"schema": 2}', "schema is 2, not 1"),
    "no JSON number": (b'{"schema": NaN}', "NaN is no JSON"),
    "deep": (b"[" * 200_000, "it is not JSON that can be read"),
    "a long number": (b"1" * 10_000, "it is not JSON that can be read"),
}


@pytest.mark.parametrize(("content", "told"), NO_REPORTS.values(), ids=NO_REPORTS)
def test_what_is_no_report_is_refused_in_one_line(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_json(path)
    assert str(refused.value).startswith(f"cannot read a report from {str(path)!r}: ")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing.json", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read a report from") as refused:
        read_json(tmp_path / name)
    assert "\n" not in str(refused.value)
