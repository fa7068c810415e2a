"""What holds for every test."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest
from muxloop.selectors_impl import Selector
from numbered_sockets import Numbers

# A shell starts what it puts in the background with SIGINT ignored; so would every program be that a test
# starts in order to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A run keeps the programs that failed; those of tests are not to turn up in the user's next run.
os.environ["MUXLOOP_DATABASE"] = "none"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected, non-blocking sockets, closed after the test."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.fixture
def numbers() -> Iterator[Numbers]:
    """Descriptors under numbers of the test's choice, all closed after it."""
    numbers = Numbers()
    yield numbers
    numbers.close_all()


@pytest.fixture
def selector(backend: type[Selector]) -> Iterator[Selector]:
    """A selector of the backend that the test is parametrised with, closed after it."""
    with backend() as selector:
        yield selector
