"""IO: what the sock_* methods send and receive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..player.sock_messages import pattern
from ..program import Action, Program
from ..strategies import STEP, action, joined, later, programs, several, soon
from ..vocabulary.sock_messages import INTO
from .queries import runs_ended
from .rule import Finding, rule
from .task_queries import every_task_ends

_SIZE = st.sampled_from([0, 1, 7, 300, 2000])
_ROOM = st.sampled_from([1, 7, 500, 4000])
_SOURCE = "asyncio-eventloop docs, Working with socket objects directly"
_POST = action("post", st.sampled_from([0, 0, 1]), _SIZE)
_MOST_CALLS = 4


def _receiving(box: int) -> st.SearchStrategy[Action]:
    return st.one_of(
        action("sock_recvfrom", box, _ROOM),
        action("sock_recvfrom_into", box, _ROOM, st.sampled_from([0, 3, 5000])).filter(
            lambda call: call[3] <= call[2]
        ),
    )


def _caller(label: str, box: int, other: int) -> st.SearchStrategy[Program]:
    """A task that sends and receives by one box, which is nobody else's."""
    calls = st.one_of(_receiving(box), _receiving(box), action("sock_sendto", box, other, _SIZE), STEP)
    swallowed = st.sampled_from([0, 1, 2])  # to go on with what a cancelled call left
    return several(action("task", label, several(calls, 1, _MOST_CALLS), swallowed), 1, 1)


_CANCEL = action("cancel_task", "t0")
_MEANWHILE = several(
    st.one_of(soon(several(_POST, 1, 2)), later()(several(st.one_of(_POST, _CANCEL), 1, 2))), 0, 3
)
# A datagram comes while nobody waits for it any more, and then somebody does again.
_CANCELLED = joined(
    several(
        action(
            *(
                "task",
                "t0",
                joined(several(_receiving(0), 1, 1), ("pause", 3), several(_receiving(0), 1, 2)),
                1,
            )
        ),
        1,
        1,
    ),
    several(soon(several(_CANCEL, 1, 1)), 1, 1),
    several(later(st.sampled_from([0.5, 1, 1.5]))(several(_POST, 1, 2)), 1, 2),
)
_CARRY = st.one_of(
    *(
        action("carry", size, room, st.sampled_from(INTO))
        for size, room in (
            (st.sampled_from([1, 5000]), st.sampled_from([700, 70_000])),
            # More than the kernel takes at once.
            (st.sampled_from([500_000, 1_500_000]), st.sampled_from([60_000, 300_000])),
        )
    )
)
# However many calls wait: as many datagrams come, in the end.
_ENOUGH: Program = tuple(("later", None, 4, (("post", 0, 5), ("post", 1, 5))) for _ in range(_MOST_CALLS))


@rule(
    "IO-12",
    "R",
    "sock_recvfrom, sock_recvfrom_into and sock_sendto: whole datagrams, up to the bytes asked for, in the "
    "order of each sender, with its address; the counts are true, and a cancelled call takes none",
    source=_SOURCE + ", loop.sock_recvfrom, loop.sock_recvfrom_into, loop.sock_sendto (3.11)",
    programs=programs(
        st.one_of(
            joined(
                several(_POST, 0, 2),
                _caller("t0", 0, 1),
                st.one_of(st.just(()), _caller("t1", 1, 0)),
                _MEANWHILE,
            ),
            _CANCELLED,
        ),
        _ENOUGH,
        ("run",),
    ),
)
def datagrams_as_posted(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for event in history.of("message-failed"):
        yield Finding("a datagram is sent, or waited for, without an error", f"{event['error']}")
    for event in history.of("sent-to"):
        if event["said"] != event["size"]:
            yield Finding(
                f"sock_sendto of {event['size']} bytes returns their number", f"it was {event['said']}"
            )
    waiting: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in history.of("posted"):
        waiting[event.label, event["sender"]].append(event)
    cancelled = [e for e in history.of("task-cancelled") if str(e["action"]).startswith("sock_recvfrom")]
    for event in history.of("message-took"):
        due = waiting[event.label, event["sender"]]
        while due and not _is(due[0], event) and (taker := _who_lost(due[0], event, cancelled)):
            cancelled.remove(taker)
            due.pop(0)
        if not due:
            yield Finding(
                f"what box {event.label} receives was sent to it",
                f"{len(event['data']) // 2} bytes came from {event['sender']}, who sent nothing (more)",
            )
            return
        posted = due.pop(0)
        if not _is(posted, event):
            meant = _meant(posted, event)
            yield Finding(
                f"the next datagram from {event['sender']} to box {event.label} is number "
                f"{posted['serial']}: {len(meant)} bytes, {meant[:8].hex()}…",
                f"{len(event['data']) // 2} bytes came, {event['data'][:16]}…",
            )
            return


def _meant(posted: Event, took: Event) -> bytes:
    return pattern(posted["serial"], posted["size"])[: took["most"]]


def _is(posted: Event, took: Event) -> bool:
    """Whether what was received may be that datagram."""
    return bytes.fromhex(took["data"]) == _meant(posted, took)


def _who_lost(posted: Event, took: Event, cancelled: list[Event]) -> Event | None:
    """The cancelled call that may have had the datagram already, and lost it.

    Like sock_recv(): the result that is on its way to a task, when that is cancelled, goes with it.
    """
    return next((e for e in cancelled if posted.index < e.index < took.index), None)


@rule(
    "IO-13",
    "R",
    "sock_sendall sends every byte once and in order, whatever the kernel takes at a time; sock_recv and "
    "sock_recv_into return what came, no more than asked for",
    source=_SOURCE + ", loop.sock_sendall, loop.sock_recv, loop.sock_recv_into",
    programs=programs(
        several(action("task", None, several(st.one_of(_CARRY, _CARRY, STEP), 1, 2)), 1, 3),
        ("run",),
    ),
    cost=2,
)
def bytes_as_sent(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for event in history.of("message-failed"):
        yield Finding("bytes are carried without an error", f"{event['error']}")
    for event in history.of("carried"):
        if not event["same"]:
            others = ", others than were sent" if event["got"] == event["size"] else ""
            yield Finding(
                f"{event['size']} bytes come as they were sent, by {event['by']}",
                f"{event['got']} came{others}",
            )
