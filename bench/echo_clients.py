"""``python echo_clients.py PORT CONNECTIONS SIZE COUNT``: the clients of the echo benchmark.

Sends a message on every connection, then awaits every answer, until COUNT messages went there and back.
Imports nothing of ours, to start quickly.
"""

import socket
import sys


def main() -> None:
    """Throw and catch."""
    port, connections, size, count = map(int, sys.argv[1:])
    message = bytes(size)
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, count, connections):
        busy = socks[: count - start]
        for sock in busy:
            sock.sendall(message)
        for sock in busy:
            left = size
            while left:
                left -= len(sock.recv(left)) or sys.exit("the server hung up")
    for sock in socks:
        sock.close()


if __name__ == "__main__":
    main()
