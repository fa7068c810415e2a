"""A gevent pool over sockets: clients ask a server, five at a time, and one loses its patience.

    GEVENT_LOOP=muxloop.integrations.gevent.Loop python examples/gevent_pool.py

It knows nothing of muxloop: without GEVENT_LOOP it runs on gevent's own loop.

It prints:

    20 answers, 5 connections at a time at the most
    the slow one was given up
    found in a thread: 9592 primes
    nobody is connected any more: True
"""

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

CLIENTS, AT_A_TIME = 20, 5
PAUSE_S = 0.01
PATIENCE_S = 0.1


class Squares:
    """A server that squares numbers, a line each, and takes its time."""

    def __init__(self) -> None:
        self.connected = 0
        self.most = 0
        # Of a pool of its own: stop() then ends those that are still at work.
        self.server = StreamServer(("127.0.0.1", 0), self.serve, spawn=2 * AT_A_TIME)

    def serve(self, connection: socket.socket, _address: tuple[str, int]) -> None:
        """Answer until the client hangs up."""
        self.connected += 1
        self.most = max(self.most, self.connected)
        try:
            with connection, connection.makefile("rw") as lines:
                for line in lines:
                    gevent.sleep(3600 if line == "slow\n" else PAUSE_S)
                    lines.write(f"{int(line) ** 2}\n")
                    lines.flush()
        finally:
            self.connected -= 1


def ask(port: int, question: str) -> str:
    """Ask one question over a connection of its own."""
    with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rw") as lines:
        lines.write(f"{question}\n")
        lines.flush()
        return lines.readline().strip()


def count_primes(below: int) -> int:
    """Work that would keep all greenlets waiting: it is done in a thread."""
    sieve = bytearray([1]) * below
    sieve[:2] = b"\0\0"
    for number in range(2, int(below**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, below, number)))
    return sum(sieve)


def main() -> None:
    """Serve, ask, and stop."""
    squares = Squares()
    squares.server.start()
    port = squares.server.server_port
    pool = Pool(AT_A_TIME)
    answers = pool.map(lambda number: int(ask(port, str(number))), range(CLIENTS))
    assert answers == [number**2 for number in range(CLIENTS)]
    print(f"{len(answers)} answers, {squares.most} connections at a time at the most")

    impatient = gevent.spawn(ask, port, "slow")
    try:
        impatient.get(timeout=PATIENCE_S)
    except gevent.Timeout:
        impatient.kill()
        print("the slow one was given up")

    print(f"found in a thread: {gevent.get_hub().threadpool.apply(count_primes, (100_000,))} primes")
    squares.server.stop(timeout=0)
    print(f"nobody is connected any more: {squares.connected == 0}")


if __name__ == "__main__":
    main()
