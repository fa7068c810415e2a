"""Files that are no connected sockets: a "pair" of which our end is something else."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "plain": spec("pair text", "make our end a regular file or /dev/null", "file", "null"),
    "refused": spec("pair", "make our end a client that is to connect where nobody listens"),
    "connect": spec("pair", "our end, such a client, connects without waiting"),
    "watch_link": spec(
        "pair text",
        "that call on the descriptor of a connected transport",
        *("add_reader", "add_writer", "remove_reader", "remove_writer"),
    ),
}
