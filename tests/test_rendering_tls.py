"""Programs under TLS as Python scripts: true to the program when run."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_runs import assert_printed, printed_by

# What a program is, and the lines that its script prints on a sound loop; "..." stands for any text.
PLAYED: list[tuple[str, list[object], list[str]]] = [
    (
        "TLS",
        [
            *(["tls_link", 0, "client"], ["run"], ["write", 0, 20000], ["peer_send", 0, 300], ["run"]),
            *(["peer_reads", 0], ["close_link", 0], ["run"], ["hear", 0]),
        ],
        [
            *("0 connection_made", "-- ...", "write: None", "0 data_received 300 as sent", "-- ..."),
            *("close: None", "0 eof_received", "0 connection_lost None", "-- ..."),
            "0 the peer is at the end, it received 20000 bytes as written",
        ],
    ),
    (
        "TLS server",
        [
            *(["tls_peer", 0, "tls 1.2"], ["tls_link", 0, "server"], ["run"], ["peer_send", 0, 300]),
            *(["peer_eof", 0], ["run"], ["run"]),
        ],
        [
            *("0 connection_made", "-- ...", "0 data_received 300 as sent", "0 eof_received"),
            *("0 connection_lost None", "-- ...", "-- ..."),
        ],
    ),
    (
        "start_tls refused",
        [["tls_peer", 0, "wrong name"], ["tls_link", 0, "start_tls client"], ["run"]],
        ["0 SSLCertVerificationError(...", "0 connection_lost SSLCert..."],
    ),
    (
        "TLS in silence",
        [["tls_peer", 0, "silent"], ["tls_limits", 0, 60, 60], ["tls_link", 0, "client"], ["run"]],
        ["0 ConnectionAbortedError(..."],
    ),
]


@pytest.mark.parametrize(("program", "expected"), [pytest.param(*case, id=name) for name, *case in PLAYED])
def test_scripts_do_what_the_program_says(program: list[object], expected: list[str], tmp_path: Path) -> None:
    assert_printed(printed_by(program, "asyncio", "loop", tmp_path), expected)
