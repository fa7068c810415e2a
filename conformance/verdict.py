"""What the suite says in the end: verdicts per rule, reports per subject. Plain data; knows no loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

OUTCOMES = ("held", "broken", "hung", "crashed", "not-offered", "skipped")
"""held; broken; hung (hard time limit); crashed (signal or exit); not-offered (a capability the
subject does not claim); skipped (with the reason in ``message``)."""

BAD_OUTCOMES = frozenset({"broken", "hung", "crashed"})


@dataclass(frozen=True)
class Witness:
    """The smallest program that shows a broken rule, and what happened when it was played."""

    program: list[Any]
    """The program as plain JSON data: what ``--program`` takes."""
    python: str
    """The same program as a Python script to read or paste."""
    expected: str
    seen: str
    history: list[dict[str, Any]] = field(default_factory=list)
    """The events of the play, in order: dicts of ``at_ms`` (a float), ``lane``, ``event``, ``label`` and
    ``detail``. ``lane`` is "loop", "main" (outside the loop), or the name of a thread."""
    stderr: str = ""
    """What the playing process left on stderr (faulthandler's stack after a crash or a hang)."""

    @property
    def in_short(self) -> str:
        """What was expected and what was seen, on one line."""
        return f"expected: {self.expected}; seen: {self.seen}"


@dataclass(frozen=True)
class Verdict:
    """One rule, judged on one subject."""

    rule: str
    level: str
    """"R", "P", "C" or "own" (see the rule catalogue)."""
    outcome: str
    message: str = ""
    declared: str | None = None
    """Reason of the declared deviation that covers this outcome, if there is one; it begins with
    "inherited: " when it is declared of asyncio, on which the subject is built."""
    witness: Witness | None = None
    reproduce: str | None = None
    """A shell command that replays exactly the witness program."""
    duration_s: float = 0.0
    examples: int = 0
    """How many programs were played."""
    asyncio_too: str = ""
    """Of a broken rule that nothing is declared of: why CPython's own loop is known to break it as well."""

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Verdict:
        """The inverse of ``dataclasses.asdict``; passes over members that it does not know."""
        witness = document["witness"]
        parts = _known(cls, document)
        return cls(**{**parts, "witness": witness and Witness(**_known(Witness, witness))})

    @property
    def bad(self) -> bool:
        return self.outcome in BAD_OUTCOMES

    @property
    def remark(self) -> str:
        """The message, where it says more than the witness does."""
        return "" if self.witness is not None and self.message == self.witness.in_short else self.message


def one_each(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict on each rule, in the order in which the rules came first: a bad one where there is one.

    Before a bad one that is declared goes one that nobody explains.
    """
    chosen: dict[str, Verdict] = {}
    for verdict in verdicts:
        former = chosen.get(verdict.rule)
        if former is None or _weight(verdict) > _weight(former):
            chosen[verdict.rule] = verdict
    return list(chosen.values())


def _weight(verdict: Verdict) -> int:
    return verdict.bad + (verdict.bad and verdict.declared is None)


@dataclass(frozen=True)
class SubjectReport:
    """All verdicts of one subject."""

    subject: str
    version: str
    backend: str | None
    results: list[Verdict]


@dataclass(frozen=True)
class Report:
    """A whole run; ``as_json`` is the documented JSON document."""

    rules_version: str
    seed: int
    profile: str
    environment: dict[str, str]
    subjects: list[SubjectReport]
    stale_declarations: list[str] = field(default_factory=list)
    """Declared deviations that were judged and have gone away, one sentence each."""
    duration_s: float = 0.0
    shard: str | None = None
    """Which part of a run split over machines this is, as in "2/5"; None for a whole run."""
    plan: str = ""
    """The same for two runs that judge the same subjects by the same rules."""
    rule_versions: dict[str, int] = field(default_factory=dict)
    """The version of each rule that was judged by, by id."""
    schema: int = 1

    def as_json(self) -> dict[str, Any]:
        return {"schema": self.schema, **{k: v for k, v in asdict(self).items() if k != "schema"}}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Report:
        """The inverse of ``as_json``; passes over members that it does not know.

        Raises ValueError on another schema number.
        """
        if document.get("schema") != 1:
            raise ValueError(f"report schema {document.get('schema')!r}: this muxloop reads schema 1")
        subjects = [
            SubjectReport(
                s["subject"],
                s["version"],
                s["backend"],
                [Verdict.from_json(result) for result in s["results"]],
            )
            for s in document["subjects"]
        ]
        return cls(**{**_known(cls, document), "subjects": subjects})


def _known(kind: type[Any], members: dict[str, Any]) -> dict[str, Any]:
    """Those members that a dataclass has."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in members.items() if name in names}
