"""Files that are sent through plain sockets, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table

_SEND = """\
def send_through_socket(file, size, offset, count, fallback):
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    received = []

    def read():
        while data := theirs.recv(65536):
            received.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    with file, theirs:
        file.write(bytes(i % 251 for i in range(size)))
        with ours:
            try:
                sending = loop.sock_sendfile(ours, file, offset, count or None, fallback=fallback)
                print("sent:", loop.run_until_complete(sending), "position:", file.tell())
            except Exception as error:
                print(repr(error))
        reader.join()
        file.seek(offset)
        right = file.read(count or None) == b"".join(received)
        print("received:", sum(map(len, received)), "right" if right else "wrong")"""


def sock_sendfile(script: LoopScript, _place: Place, size: int, offset: int, count: int, text: str) -> Lines:
    script.needs("socket", "threading")
    in_memory = text.startswith("memory")
    script.needs("io" if in_memory else "tempfile")
    script.define("send_through_socket", *_SEND.splitlines())
    file = "io.BytesIO()" if in_memory else "tempfile.TemporaryFile()"
    return [f"send_through_socket({file}, {size}, {offset}, {count}, fallback={'native' not in text})"]


LINES: Table = {"sock_sendfile": sock_sendfile}
