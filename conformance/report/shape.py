"""Whether a document has the shape that the schema of reports asks for, told in one line.

Only the keywords which ``report.schema.json`` uses are known (JSON Schema, draft 2020-12), so that a
report can be read without a package for schemas; tests hold the two readings against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

_NAMES: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "object": ("an object", dict),
    "array": ("a list", list),
    "string": ("text", str),
    "integer": ("a whole number", int),
    "number": ("a number", (int, float)),
    "null": ("null", type(None)),
}


@cache
def report_schema() -> Mapping[str, Any]:
    """The schema of a report, as it is shipped in ``report.schema.json``."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def misfit(document: object) -> str | None:
    """What is wrong with ``document`` as a report, in one line that names the place; None when nothing is."""
    return next(_misfits(document, report_schema(), ""), None)


def _misfits(value: object, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = report_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        found = [next(_misfits(value, choice, place), None) for choice in schema["anyOf"]]
        if None not in found:
            yield str(found[-1])
    wrong = _wrong_value(value, schema)
    if wrong is not None:
        yield f"{place or 'the document'} is {_shown(value)}, not {wrong}"
        return
    if isinstance(value, dict):
        yield from _members(value, schema, place)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _misfits(item, schema["items"], f"{place}[{number}]")


def _wrong_value(value: object, schema: Mapping[str, Any]) -> str | None:
    """What the value should be, when it is not."""
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(isinstance(value, _NAMES[name][1]) and not isinstance(value, bool) for name in wanted):
            return " or ".join(_NAMES[name][0] for name in wanted)
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        return str(schema["const"])
    if "enum" in schema and value not in schema["enum"]:
        return f"one of {', '.join(schema['enum'])}"
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        return f"{schema['minimum']} or more"
    return None


def _members(value: dict[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name, member in value.items():
        of_member = known.get(name, schema.get("additionalProperties"))
        if of_member is not None:
            yield from _misfits(member, of_member, f"{place}.{name}" if place else name)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place or 'the document'} has no {name}"


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
