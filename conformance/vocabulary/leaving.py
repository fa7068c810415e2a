"""What is left of a loop when it is closed and gone."""

from __future__ import annotations

from .spec import ActionSpec, spec

LEAVE = ("leave",)

ACTIONS: dict[str, ActionSpec] = {
    "leave": spec(
        "",
        "the last action: let go of all handles and note what still lives; close the loop, let go of it, and "
        "note what of it is left in the process",
        place="outermost",
    ),
}
