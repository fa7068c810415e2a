"""Whatever asyncio's own classes offer on the running Python, ours offer too, with the same parameters."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter
from typing import Any

import pytest
from muxloop import EventLoop
from muxloop.loop.datagram_transport import DatagramTransport
from muxloop.loop.handles import Handle, TimerHandle
from muxloop.loop.pipe_transports import ReadPipeTransport, WritePipeTransport
from muxloop.loop.processes import SubprocessTransport
from muxloop.loop.servers import Server
from muxloop.loop.tls import TlsTransport
from muxloop.loop.transports import SocketTransport

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (asyncio.AbstractEventLoop, EventLoop),
    (asyncio.BaseEventLoop, EventLoop),
    (asyncio.SelectorEventLoop, EventLoop),
    (asyncio.Server, Server),
    (asyncio.Handle, Handle),
    (asyncio.TimerHandle, TimerHandle),
    (asyncio.Transport, SocketTransport),
    (asyncio.Transport, TlsTransport),
    (asyncio.DatagramTransport, DatagramTransport),
    (asyncio.ReadTransport, ReadPipeTransport),
    (asyncio.WriteTransport, WritePipeTransport),
    (asyncio.SubprocessTransport, SubprocessTransport),
]

NAMED = Parameter.POSITIONAL_OR_KEYWORD
STARS = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}

# Where CPython contradicts itself, and what is followed.
EXCEPTIONS = {
    # Documented as removed in 3.11, and gone from the loops; the abstract class was forgotten.
    ("AbstractEventLoop.create_datagram_endpoint", "reuse_address is not taken"),
    # The documentation and the abstract class call it nbytes, the loop n.
    ("SelectorEventLoop.sock_recv", "n is not taken as argument 2"),
    # The documentation and the loops say True.
    ("AbstractEventLoop.sock_sendfile", "fallback is True, not None"),
}


def public(cls: type[Any]) -> Iterator[tuple[str, Any]]:
    for name in dir(cls):
        if not name.startswith("_"):
            yield name, getattr(cls, name)


def differences(theirs: Callable[..., Any], ours: Callable[..., Any]) -> Iterator[str]:
    """What a caller of ``theirs`` stumbles over when it calls ``ours``."""
    if inspect.iscoroutinefunction(theirs) != inspect.iscoroutinefunction(ours):
        yield "only one of the two is a coroutine function"
    offered = list(inspect.signature(ours).parameters.values())
    by_name = {parameter.name: parameter for parameter in offered}
    kinds = {parameter.kind for parameter in offered}
    asked = inspect.signature(theirs).parameters
    for position, parameter in enumerate(asked.values()):
        own = by_name.get(parameter.name)
        if parameter.kind in STARS:
            if parameter.kind not in kinds:
                yield f"{STARS[parameter.kind]}{parameter.name} is not taken"
        elif parameter.kind is NAMED:
            if own is None or own.kind is not NAMED or offered.index(own) != position:
                yield f"{parameter.name} is not taken as argument {position}"
        elif parameter.kind is Parameter.POSITIONAL_ONLY:
            if position >= len(offered) and Parameter.VAR_POSITIONAL not in kinds:
                yield f"argument {position} is not taken"
        elif own is None and Parameter.VAR_KEYWORD not in kinds:
            yield f"{parameter.name} is not taken"
        if own is not None and own.default != parameter.default:
            yield f"{parameter.name} is {own.default}, not {parameter.default}"
    for position, own in enumerate(offered):
        if own.name in asked or own.default is not own.empty:
            continue
        if own.kind is Parameter.KEYWORD_ONLY or (own.kind is NAMED and position >= sure(asked.values())):
            yield f"{own.name} is asked for"


def sure(asked: Iterable[Parameter]) -> float:
    """How many arguments the callers of such a function give by position."""
    parameters = list(asked)
    if any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters):
        return math.inf
    return sum(parameter.kind is NAMED and parameter.default is Parameter.empty for parameter in parameters)


def name_of(cls: type[Any]) -> str:
    """Its public name: ``asyncio.SelectorEventLoop`` is an alias, of another class on each system."""
    return "SelectorEventLoop" if cls is asyncio.SelectorEventLoop else cls.__name__


def found(theirs: type[Any], ours: type[Any]) -> set[tuple[str, str]]:
    """The difference of each public name."""
    told: set[tuple[str, str]] = set()
    for name, attribute in public(theirs):
        label = f"{name_of(theirs)}.{name}"
        own = getattr(ours, name, None)
        if own is None:
            told.add((label, "is missing"))
        elif callable(attribute) != callable(own):
            told.add((label, "only one of the two can be called"))
        elif callable(attribute):
            told.update((label, difference) for difference in differences(attribute, own))
    return told


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=name_of)
def test_every_public_method_is_there_and_takes_every_parameter(theirs: type[Any], ours: type[Any]) -> None:
    assert found(theirs, ours) - EXCEPTIONS == set()


def test_nothing_of_the_interface_is_missing() -> None:
    """What AbstractEventLoop leaves to its subclasses raises NotImplementedError."""
    methods = [name for name, value in vars(asyncio.AbstractEventLoop).items() if callable(value)]
    missing = [
        name for name in methods if getattr(EventLoop, name) is getattr(asyncio.AbstractEventLoop, name)
    ]
    # Handle.cancel() of the standard library calls it; our handles count for themselves.
    assert missing == ["_timer_handle_cancelled"]


class Planted:
    def plain(self, first: int, second: int = 0) -> None: ...
    def keyword(self, *, option: bool = False) -> None: ...
    def many(self, *args: int, **kwargs: int) -> None: ...
    async def coroutine(self) -> None: ...

    attribute = 0


class Lacking:
    def plain(self, second: int, first: int = 1) -> None: ...
    def keyword(self, *, demand: bool) -> None: ...
    def many(self) -> None: ...
    def coroutine(self) -> None: ...


def test_a_class_that_lacks_something_is_noticed() -> None:
    assert found(Planted, Planted) == set()
    assert found(Planted, Lacking) == {
        ("Planted.attribute", "is missing"),
        ("Planted.plain", "first is not taken as argument 1"),
        ("Planted.plain", f"first is 1, not {Parameter.empty}"),
        ("Planted.plain", "second is not taken as argument 2"),
        ("Planted.plain", f"second is {Parameter.empty}, not 0"),
        ("Planted.keyword", "option is not taken"),
        ("Planted.keyword", "demand is asked for"),
        ("Planted.many", "*args is not taken"),
        ("Planted.many", "**kwargs is not taken"),
        ("Planted.coroutine", "only one of the two is a coroutine function"),
    }
