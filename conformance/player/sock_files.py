"""Actions that send files through plain sockets."""

from __future__ import annotations

import io
import socket
import tempfile
from typing import IO, Any

from .connections import SMALL_BUFFER, Peer, payload
from .lifecycle import LifeCycle
from .stage import PATIENCE_S


class SockFiles(LifeCycle):
    """sock_sendfile."""

    def do_sock_sendfile(self, size: int, offset: int, count: int, text: str) -> None:
        promised = max(0, size - offset)
        promised = min(promised, count) if count else promised
        ours, theirs = socket.socketpair()
        ours.setsockopt(*SMALL_BUFFER)
        ours.setblocking(False)
        peer = Peer(theirs)
        peer.read_to_the_end()
        try:
            with ours, _opened(text) as file:
                file.write(b"\0" * min(offset, size) + payload(0, size - min(offset, size)))
                file.flush()
                seen = self._sent(ours, file, offset, count or None, fallback="native" not in text)
            assert peer.reader is not None
            peer.reader.join(PATIENCE_S * self.tolerance)
        finally:
            peer.close()
        heard = {"total": peer.heard.total, "wrong_at": peer.heard.wrong_at}
        self.note("sock-sent-file", text, promised=promised, offset=offset, **seen, **heard)

    def _sent(
        self, sock: socket.socket, file: IO[bytes], offset: int, count: int | None, *, fallback: bool
    ) -> dict[str, Any]:
        result, error = None, None
        try:
            call = self.loop.sock_sendfile
            result = self.loop.run_until_complete(call(sock, file, offset, count, fallback=fallback))
        except AttributeError as caught:
            error = f"NotImplementedError: {caught}"
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        return {"result": result, "error": error, "position": file.tell()}


def _opened(text: str) -> IO[bytes]:
    return io.BytesIO() if text.startswith("memory") else tempfile.TemporaryFile()
