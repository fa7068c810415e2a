"""Connections: a "pair" is a transport of the loop with its protocol, and a plain socket as its peer."""

from __future__ import annotations

from .spec import ActionSpec, spec

WAYS = ("unix", "tcp", "client", "server")
"""How a connection comes about: create_connection on one of two connected sockets, create_connection to a
port, create_server and somebody who connects."""
TOLD = (
    *("connection_made", "data_received", "eof_received", "connection_lost"),
    *("pause_writing", "resume_writing", "get_buffer"),
)
"""The callbacks of protocols in which a program can act."""
PROTOCOLS = ("streaming", "buffered", "small buffer", "empty buffer")
BUFFERS = ("bytes", "bytearray", "mutated", "memoryview", "lines")
"""What is written: "mutated" is a bytearray that its owner overwrites after write()."""

ACTIONS: dict[str, ActionSpec] = {
    "link": spec("pair text", "connect a transport of the loop and its peer, in one of these ways", *WAYS),
    "protocol": spec(
        "pair text", "the kind of protocol it begins with; once connected: set_protocol", *PROTOCOLS
    ),
    "on": spec("pair text body", "what the protocol does in that callback, the first few times", *TOLD),
    "fail": spec("", "inside a callback of a protocol: raise ValueError"),
    "keep_open": spec("pair", "eof_received returns true from now on"),
    "write": spec("pair size text?", "write that many bytes", *BUFFERS),
    "write_eof": spec("pair", "transport.write_eof()"),
    "close_link": spec("pair", "transport.close()"),
    "abort": spec("pair", "transport.abort()"),
    "pause_reading": spec("pair", "transport.pause_reading()"),
    "resume_reading": spec("pair", "transport.resume_reading()"),
    "limits": spec("pair size size?", "set_write_buffer_limits(high, low)"),
    "look": spec("pair", "note what the transport says of itself"),
    "sendfile": spec(
        "pair size size size text",
        "loop.sendfile of a file of that many bytes, from that offset, of that many bytes at most (0: all)",
        *("native", "fallback"),
    ),
    "peer_send": spec("pair size", "the peer sends that many bytes, or as many as the kernel takes"),
    "peer_recv": spec("pair size", "the peer receives at most that many bytes, without waiting"),
    "peer_reads": spec("pair", "from now on a thread of the peer reads to the end"),
    "peer_eof": spec("pair", "the peer sends no more: shutdown(SHUT_WR)"),
    "peer_close": spec("pair", "the peer closes"),
    "peer_reset": spec("pair", "the peer vanishes: a TCP connection is reset"),
    "hear": spec("pair", "wait for the thread of the peer; note what it has read", place="outermost"),
}
