"""SEL: what becomes of a selector that is closed or forked, and of files that are closed under its eyes.

CPython's selectors leave all of this to their users. The promises are muxloop's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ..file_kinds import ALWAYS_READY
from ..history import History
from ..program import Program
from ..selector_walks import ANY_LETTERS, Scope, books_of, children, ends, walks
from ..vocabulary.selectors import SELECTOR_CALLS
from .rule import PLATFORM_FEATURES, Finding, rule
from .selecting import works

_LISTING_FILES: list[Program] = [(), (("another",),)]
if not PLATFORM_FEATURES["descriptors"][0]:
    _LISTING_FILES.pop()

_IN_PLACE: Program = (("register", 0, "r"),)


@rule(
    "SEL-09",
    "own",
    "a closed selector refuses every call with one clear error, close() may come again, "
    "and no file stays open or is passed on to a program that is executed",
    source="selectors docs, BaseSelector.close; PEP 446",
    programs=st.tuples(
        walks(most=3),
        st.lists(st.sampled_from(SELECTOR_CALLS), min_size=1, max_size=8),
        st.sampled_from(_LISTING_FILES),
    ).map(lambda made: (*made[0], *made[2], ("close",), *(("attempt", call) for call in made[1]))),
    judges="selector",
)
def closed(history: History) -> Iterator[Finding]:
    kinds = set()
    for event in history.of("attempted"):
        if event.label == "close":
            if event["error"]:
                yield Finding("close() returns, each time", f"it raised {event['error']}")
        elif event["closed"]:
            if "closed" not in str(event["error"]).lower():
                yield Finding(
                    f"{event.label} says that the selector is closed",
                    f"it raised {event['error']}" if event["error"] else f"it returned {event['result']}",
                )
            kinds.add(str(event["error"]).partition(":")[0])
    if len(kinds) > 1:
        yield Finding("one type of error from a closed selector", " and ".join(sorted(kinds)))
    for event in history.of("used"):
        if event["error"]:
            yield Finding("a selector can be used and closed", f"it raised {event['error']}")
        if event["inherited"]:
            yield Finding(
                "what a selector opens is closed in a program that is executed",
                f"it would have {len(event['inherited'])} of its files",
            )
        if event["leaked"] > 0:
            yield Finding("a closed selector leaves no file open", f"it left {event['leaked']}")


def _heard(draw: DrawFn) -> Program:
    """The files of the first two numbers may hear from their peers."""
    sends = [("send", 0, 1), ("send", 1, 1)]
    return tuple(draw(st.lists(st.sampled_from(sends), max_size=2, unique=True)))


@st.composite
def _forked(draw: DrawFn) -> Program:
    walked = draw(walks(start=_IN_PLACE, most=6))
    program = (*walked, draw(children(books_of(walked))), *_heard(draw), ("select", 0))
    return draw(walks(start=program, most=6))


@rule(
    "SEL-10",
    "own",
    "after fork the child's selector does not disturb the parent's",
    source="eventlet 68; bpo-22087; libev, ev_loop_fork",
    programs=_forked(),
    judges="selector",
    needs="fork",
    cost=0.5,
)
def forked(history: History) -> Iterator[Finding]:
    yield from works(history, lanes=("main",))


@st.composite
def _lost(draw: DrawFn) -> Program:
    scope = Scope(losing=True)
    walked = draw(walks(scope, start=_IN_PLACE, most=6))
    sound = [number for number, file in books_of(walked).registered() if file.sound]
    gone = [("abandon", draw(st.sampled_from(sound)), draw(st.sampled_from(["", "dup"])))] if sound else []
    at_once = draw(st.sampled_from([(), (("select", 0),)]))
    program = (*walked, *gone, *_heard(draw), *at_once, ("settle",), ("select", 1))
    return draw(walks(scope, start=program, most=6))


@rule(
    "SEL-11",
    "own",
    "a file closed without unregister() ends no wait of the others, and soon keeps none of them from waiting",
    source="select(2), EBADF; poll(2), POLLNVAL; epoll(7), Q6; libuv 1148; trio 1272",
    programs=_lost(),
    judges="selector",
    needs="descriptors",
    cost=0.5,
)
def lost(history: History) -> Iterator[Finding]:
    for event in history.of("settled"):
        if event["error"]:
            yield Finding("select returns", f"it raised {event['error']}")
    yield from works(history)


@st.composite
def _taken_over(draw: DrawFn) -> Program:
    scope = Scope(taking_over=True)
    walked = draw(walks(scope, start=_IN_PLACE, most=6))
    numbers = [number for number, file in books_of(walked).registered() if file.sound]
    made = list(walked)
    if numbers:
        number, letters = draw(st.sampled_from(numbers)), draw(ANY_LETTERS)
        made += draw(st.sampled_from([(), (("abandon", number, "dup"),)]))
        made.append(("reuse", number, draw(st.sampled_from(scope.kinds))))
        anew = (("modify", number, letters),), (("forget", number), ("register", number, letters))
        made += draw(st.sampled_from(anew))
        made += draw(st.sampled_from([(("send", number, 1),), ()]))
    return draw(walks(scope, start=(*made, ("select", 0)), most=6))


@rule(
    "SEL-12",
    "own",
    "a registered number that another file took over is the new file's "
    "after modify(), or unregister() and register(): no event is lost, none of the old file's comes",
    source="epoll(7), Q6; libuv 826; swift-nio 341; twisted 12681",
    programs=_taken_over(),
    judges="selector",
    needs="descriptors",
    cost=0.5,
)
def taken_over(history: History) -> Iterator[Finding]:
    yield from works(history)


@rule(
    "SEL-13",
    "own",
    "regular files, directories and /dev/null are always ready for what they are registered for",
    source="poll(2); epoll_ctl(2), EPERM; twisted 4429",
    programs=ends(Scope(kinds=("socket", "pipe r", *ALWAYS_READY))),
    judges="selector",
    needs="descriptors",
    cost=0.5,
)
def always_ready(history: History) -> Iterator[Finding]:
    yield from works(history)
