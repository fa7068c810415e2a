"""The emulated kqueue against the sentences of kqueue(2), which each test quotes."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the emulation is built on epoll"
)

if sys.platform.startswith("linux"):
    import kqueue_emulation as kq
    from kqueue_emulation import kevent

LONG_S = 30  # a wait that is to end early; the test's own time limit is the judge


@pytest.fixture
def queue() -> Iterator[kq.kqueue]:
    queue = kq.kqueue()
    yield queue
    queue.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = list(os.pipe())
    yield ends[0], ends[1]
    for fd in ends:
        with contextlib.suppress(OSError):
            os.close(fd)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with_each = socket.socketpair()
    yield with_each
    for sock in with_each:
        sock.close()


def seen(events: list[kevent]) -> list[tuple[int, int, int]]:
    return [(event.ident, event.filter, event.data) for event in events]


def test_read_takes_a_descriptor_and_returns_whenever_there_is_data_to_read(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader)], 0)
    assert queue.control(None, 8, 0) == []
    os.write(writer, b"five!")
    assert seen(queue.control(None, 8, LONG_S)) == [(reader, kq.KQ_FILTER_READ, 5)]


def test_an_event_is_a_level_unless_cleared(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader)], 0)
    os.write(writer, b"x")
    assert queue.control(None, 8, 0) == queue.control(None, 8, 0) != []


def test_ev_clear_resets_the_state_after_the_event_is_retrieved(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader, flags=kq.KQ_EV_ADD | kq.KQ_EV_CLEAR)], 0)
    os.write(writer, b"x")
    assert seen(queue.control(None, 8, 0)) == [(reader, kq.KQ_FILTER_READ, 1)]
    assert queue.control(None, 8, 0) == []
    os.write(writer, b"y")
    assert seen(queue.control(None, 8, 0)) == [(reader, kq.KQ_FILTER_READ, 2)]


def test_ev_clear_keeps_an_event_that_found_no_room(queue, pair):
    for sock in pair:
        queue.control([kevent(sock, kq.KQ_FILTER_WRITE, kq.KQ_EV_ADD | kq.KQ_EV_CLEAR)], 0)
    first, second = queue.control(None, 1, 0), queue.control(None, 1, 0)
    assert {event.ident for event in first + second} == {sock.fileno() for sock in pair}
    assert queue.control(None, 1, 0) == []


def test_ev_oneshot_returns_only_the_first_occurrence_and_deletes(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader, flags=kq.KQ_EV_ADD | kq.KQ_EV_ONESHOT)], 0)
    os.write(writer, b"x")
    assert len(queue.control(None, 8, 0)) == 1
    assert queue.control(None, 8, 0) == []
    with pytest.raises(FileNotFoundError):
        queue.control([kevent(reader, flags=kq.KQ_EV_DELETE)], 0)


def test_ev_disable_keeps_the_event_but_does_not_return_it(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader, flags=kq.KQ_EV_ADD | kq.KQ_EV_DISABLE)], 0)
    os.write(writer, b"x")
    assert queue.control(None, 8, 0.01) == []
    queue.control([kevent(reader, flags=kq.KQ_EV_ENABLE)], 0)
    assert len(queue.control(None, 8, 0)) == 1
    queue.control([kevent(reader, flags=kq.KQ_EV_DISABLE)], 0)
    assert queue.control(None, 8, 0) == []


def test_ev_add_again_modifies_and_does_not_duplicate(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader, udata=1)], 0)
    queue.control([kevent(reader, udata=2)], 0)
    os.write(writer, b"x")
    assert [event.udata for event in queue.control(None, 8, 0)] == [2]


def test_read_and_write_of_one_descriptor_are_two_events(queue, pair):
    ours, theirs = pair
    theirs.send(b"x")
    queue.control([kevent(ours), kevent(ours, kq.KQ_FILTER_WRITE)], 0)
    events = queue.control(None, 8, 0)
    assert {(event.ident, event.filter) for event in events} == {
        (ours.fileno(), kq.KQ_FILTER_READ),
        (ours.fileno(), kq.KQ_FILTER_WRITE),
    }
    queue.control([kevent(ours, flags=kq.KQ_EV_DELETE)], 0)
    assert [event.filter for event in queue.control(None, 8, 0)] == [kq.KQ_FILTER_WRITE]


def test_a_small_batch_starves_nobody(queue, pair):
    for sock in pair:
        queue.control([kevent(sock, kq.KQ_FILTER_WRITE)], 0)
    idents = [queue.control(None, 1, 0)[0].ident for _ in range(4)]
    assert idents[0] != idents[1]
    assert idents[:2] == idents[2:]


def test_write_data_is_the_space_left(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(writer, kq.KQ_FILTER_WRITE)], 0)
    (before,) = queue.control(None, 8, 0)
    os.write(writer, b"x" * 100)
    (after,) = queue.control(None, 8, 0)
    assert before.data - after.data == 100
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    assert queue.control(None, 8, 0) == []
    os.read(reader, 1 << 20)
    assert queue.control(None, 8, 0)[0].data == before.data


def test_ev_eof_comes_with_the_data_that_is_left(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader)], 0)
    os.write(writer, b"last")
    os.close(writer)
    (event,) = queue.control(None, 8, 0)
    assert (event.data, event.flags & kq.KQ_EV_EOF) == (4, kq.KQ_EV_EOF)
    os.read(reader, 100)
    (event,) = queue.control(None, 8, 0)
    assert (event.data, event.flags & kq.KQ_EV_EOF) == (0, kq.KQ_EV_EOF)


def test_ev_eof_of_a_socket_whose_peer_shut_down_one_direction(queue, pair):
    ours, theirs = pair
    queue.control([kevent(ours), kevent(ours, kq.KQ_FILTER_WRITE)], 0)
    theirs.shutdown(socket.SHUT_WR)
    flags = {event.filter: event.flags & kq.KQ_EV_EOF for event in queue.control(None, 8, 0)}
    assert flags == {kq.KQ_FILTER_READ: kq.KQ_EV_EOF, kq.KQ_FILTER_WRITE: 0}


def test_write_sets_ev_eof_when_the_reader_disconnects(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(writer, kq.KQ_FILTER_WRITE)], 0)
    os.close(reader)
    (event,) = queue.control(None, 8, 0)
    assert event.flags & kq.KQ_EV_EOF


def test_adding_a_write_filter_to_a_pipe_without_reader_is_refused(queue, pipe):
    reader, writer = pipe
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        queue.control([kevent(writer, kq.KQ_FILTER_WRITE)], 0)


def test_a_regular_file_is_readable_before_its_end(queue, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb", buffering=0) as file:
        queue.control([kevent(file)], 0)
        assert seen(queue.control(None, 8, 0)) == [(file.fileno(), kq.KQ_FILTER_READ, 3)]
        file.read()
        assert queue.control(None, 8, 0) == []


def test_calling_close_on_a_descriptor_removes_its_kevents(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader)], 0)
    duplicate = os.dup(reader)
    os.write(writer, b"x")
    os.close(reader)
    assert queue.control(None, 8, 0.01) == []
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        queue.control([kevent(reader, flags=kq.KQ_EV_DELETE)], 0)
    os.dup2(duplicate, reader)
    os.close(duplicate)


def test_a_reused_number_has_no_events_of_its_former_owner(queue, pipe, pair):
    reader, writer = pipe
    duplicate = os.dup(reader)
    queue.control([kevent(reader)], 0)
    os.write(writer, b"x")
    os.dup2(pair[0].fileno(), reader)
    assert queue.control(None, 8, 0) == []
    with pytest.raises(FileNotFoundError):
        queue.control([kevent(reader, flags=kq.KQ_EV_DELETE)], 0)
    os.close(duplicate)


@pytest.mark.parametrize("wait_first", [False, True], ids=["added", "waited"])
@pytest.mark.parametrize("keep", [False, True], ids=["gone", "duplicated"])
def test_a_reused_number_is_noticed_although_both_files_share_an_inode(queue, keep, wait_first):
    former, latter = kq.kqueue(), kq.kqueue()  # as all that have no place in a file system
    number = os.dup(former.fileno())
    assert os.fstat(number).st_ino == os.fstat(latter.fileno()).st_ino
    queue.control([kevent(number)], 0)
    if not keep:
        former.close()
    os.dup2(latter.fileno(), number)
    with contextlib.closing(former), contextlib.closing(latter):
        trigger = kevent(1, kq.KQ_FILTER_USER, fflags=kq.KQ_NOTE_TRIGGER)
        latter.control([kevent(1, kq.KQ_FILTER_USER), trigger], 0)
        if wait_first:
            assert queue.control(None, 8, 0) == []
        queue.control([kevent(number)], 0)
        assert [event.ident for event in queue.control(None, 8, LONG_S)] == [number]
    os.close(number)


def test_errors_go_to_the_eventlist_where_there_is_room(queue, pipe):
    reader, writer = pipe
    os.write(writer, b"x")
    bad = kevent(reader, kq.KQ_FILTER_WRITE, kq.KQ_EV_DELETE, udata=7)
    (answer,) = queue.control([kevent(reader), bad], 8, 0)
    assert (answer.ident, answer.flags, answer.data, answer.udata) == (
        reader,
        kq.KQ_EV_ERROR,
        errno.ENOENT,
        7,
    )
    with pytest.raises(FileNotFoundError):
        queue.control([bad], 0)


@pytest.mark.parametrize("change", ["EV_ENABLE", "EV_DISABLE", "EV_DELETE"])
def test_enoent_the_event_could_not_be_found_to_be_modified_or_deleted(queue, pipe, change):
    with pytest.raises(FileNotFoundError):
        queue.control([kevent(pipe[0], flags=getattr(kq, f"KQ_{change}"))], 0)


def test_a_device_without_a_filter_is_refused_and_leaves_nothing(queue):
    with open(os.devnull) as device:
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
            queue.control([kevent(device)], 0)
        with pytest.raises(FileNotFoundError):
            queue.control([kevent(device, flags=kq.KQ_EV_DELETE)], 0)


def test_ebadf_and_einval_of_a_bad_descriptor_and_a_bad_filter(queue, pipe):
    fd = os.dup(pipe[0])
    os.close(fd)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        queue.control([kevent(fd)], 0)
    with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
        queue.control([kevent(pipe[0], filter=-99)], 0)


def test_ev_receipt_answers_each_change_without_draining_pending_events(queue, pair):
    receipt = kq.KQ_EV_ADD | kq.KQ_EV_RECEIPT
    queue.control([kevent(pair[0], kq.KQ_FILTER_WRITE)], 0)
    answers = queue.control([kevent(pair[1], flags=receipt), kevent(pair[1], -99, receipt)], 8, LONG_S)
    assert [(a.flags, a.data) for a in answers] == [(kq.KQ_EV_ERROR, 0), (kq.KQ_EV_ERROR, errno.EINVAL)]
    assert seen(queue.control(None, 8, 0))[0][:2] == (pair[0].fileno(), kq.KQ_FILTER_WRITE)


def test_nevents_of_zero_returns_immediately_even_if_there_is_a_timeout(queue):
    assert queue.control(None, 0, 10_000) == []  # the test's own time limit would end it


def test_the_timeout_is_a_maximum_interval_to_wait(queue, pipe):
    queue.control([kevent(pipe[0])], 0)
    start = time.monotonic()
    assert queue.control(None, 8, 0.05) == []
    assert time.monotonic() - start >= 0.05


def test_timers_count_their_expirations_and_are_cleared_by_retrieval(queue):
    timer = kevent(7, kq.KQ_FILTER_TIMER, fflags=kq.KQ_NOTE_USECONDS, data=1000)
    start = time.monotonic()
    queue.control([timer], 0)
    (event,) = queue.control(None, 8, LONG_S)
    assert time.monotonic() - start >= 0.001 - 1e-6
    assert (event.ident, event.filter) == (7, kq.KQ_FILTER_TIMER)
    assert event.data >= 1
    assert event.flags & kq.KQ_EV_CLEAR
    assert queue.control(None, 8, LONG_S)


def test_a_oneshot_timer_fires_once(queue):
    flags = kq.KQ_EV_ADD | kq.KQ_EV_ONESHOT
    queue.control([kevent(7, kq.KQ_FILTER_TIMER, flags, data=1)], 0)
    assert len(queue.control(None, 8, LONG_S)) == 1
    assert queue.control(None, 8, 0.01) == []


def test_user_events_are_triggered_by_note_trigger(queue):
    queue.control([kevent(1, kq.KQ_FILTER_USER, kq.KQ_EV_ADD | kq.KQ_EV_CLEAR)], 0)
    assert queue.control(None, 8, 0) == []
    queue.control([kevent(1, kq.KQ_FILTER_USER, 0, kq.KQ_NOTE_TRIGGER)], 0)
    assert len(queue.control(None, 8, LONG_S)) == 1
    assert queue.control(None, 8, 0) == []


def test_the_queue_is_a_descriptor_that_can_be_waited_for(queue, pipe):
    reader, writer = pipe
    queue.control([kevent(reader)], 0)
    assert select.select([queue.fileno()], [], [], 0)[0] == []
    os.write(writer, b"x")
    assert select.select([queue.fileno()], [], [], LONG_S)[0] == [queue.fileno()]


def test_the_queue_is_not_inherited_by_a_child(queue, pipe):
    queue.control([kevent(pipe[0])], 0)
    pid = os.fork()
    if not pid:
        try:
            queue.control(None, 1, 0)
        except OSError as error:
            os._exit(error.errno or 0)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == errno.EBADF
    os.write(pipe[1], b"x")
    assert len(queue.control(None, 8, LONG_S)) == 1


def test_a_signal_does_not_cut_the_wait_short(queue):
    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        start = time.monotonic()
        assert queue.control(None, 8, 0.05) == []
        assert time.monotonic() - start >= 0.05
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls


def test_what_python_refuses(queue):
    with pytest.raises(ValueError, match="Length"):
        queue.control(None, -1)
    with pytest.raises(ValueError, match="timeout"):
        queue.control(None, 1, -1)
    queue.close()
    queue.close()
    assert queue.closed
    with pytest.raises(ValueError, match="closed"):
        queue.control(None, 1, 0)
    with pytest.raises(ValueError, match="closed"):
        queue.fileno()
