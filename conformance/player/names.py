"""Actions on names and addresses."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .gaps import is_left_out
from .lifecycle import LifeCycle

HOST = "names.test"
"""A name that only the play knows (RFC 2606)."""
_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
_CROWD = 3
"""Of clients: more than a queue of length 0 takes."""
_STREAM = {"type": socket.SOCK_STREAM}


class _NotingPool(ThreadPoolExecutor):
    """Counts its jobs."""

    jobs = 0

    def submit(self, *arguments: Any, **keywords: Any) -> Future[Any]:
        self.jobs += 1
        return super().submit(*arguments, **keywords)


class Names(LifeCycle):
    """look_up, dial."""

    def do_look_up(self, text: str) -> None:
        """Both answers as text; of an error its class."""
        if text.startswith("the name of "):
            address = (text.removeprefix("the name of "), 80)
            told = self._outcome(lambda: self.loop.getnameinfo(address, _NUMERIC))
            meant = _answer(lambda: socket.getnameinfo(address, _NUMERIC))
        else:
            flags = {"nobody": socket.AI_PASSIVE, "nonsense": socket.AI_NUMERICHOST}.get(text, 0)
            host = None if text == "nobody" else text
            told = self._outcome(lambda: self.loop.getaddrinfo(host, 80, flags=flags, **_STREAM))
            meant = _answer(lambda: socket.getaddrinfo(host, 80, flags=flags, **_STREAM))
        self.note("looked-up", text, error=told[1], result=told[0] or told[1].partition(":")[0], meant=meant)

    def _outcome(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[str, str]:
        """The result of a coroutine as text, or the error that it raised."""

        async def whole() -> Any:
            return await call()

        try:
            return _as_text(self.loop.run_until_complete(whole())), ""
        except Exception as error:
            return "", f"{type(error).__name__}: {error}"

    def do_dial(self, text: str, ms: float | None = None, value: int | None = None) -> None:
        pool = _NotingPool(2)
        ends = [_end(letter) for letter in ("l" if text == "literal" else text)]
        guests = [
            guest for end, letter in zip(ends, text, strict=False) if letter == "s" for guest in _crowd(end)
        ]
        ports = [end.getsockname()[1] for end in ends]
        keywords: dict[str, Any] = {} if ms is None else {"happy_eyeballs_delay": ms / 1000}
        if value == 1:
            keywords["all_errors"] = True
        resolve = socket.getaddrinfo

        def own_resolver(host: Any, *arguments: Any, **named: Any) -> Any:
            if host not in (HOST, HOST.encode()):
                return resolve(host, *arguments, **named)
            kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*kind, ("127.0.0.1", port)) for port in ports]

        socket.getaddrinfo = own_resolver
        began = time.monotonic()
        try:
            self.loop.set_default_executor(pool)
            data = self.loop.run_until_complete(
                self._connected("127.0.0.1" if text == "literal" else HOST, ports, keywords)
            )
        except Exception as error:
            data = {"error": f"{type(error).__name__}: {error}"}
            # CPython's create_connection() swallows what sock_connect() raises, and stumbles over the gap.
            if is_left_out(self.loop, "sock_connect"):
                data = {"error": "NotImplementedError: sock_connect()"}
        finally:
            socket.getaddrinfo = resolve
        took_s = time.monotonic() - began
        self.note("dialled", text, jobs=pool.jobs, took_s=took_s, **{"error": None, **data})
        pool.shutdown(wait=False)
        for end in (*ends, *guests):
            end.close()

    async def _connected(self, host: str, ports: list[int], keywords: dict[str, Any]) -> dict[str, Any]:
        """Which of the addresses was reached, or what became of the attempts."""
        try:
            transport, _ = await self.loop.create_connection(asyncio.Protocol, host, ports[0], **keywords)
        except ExceptionGroup as group:
            return {"raised": "ExceptionGroup", "errors": len(group.exceptions)}
        except socket.gaierror:
            return {"error": "NotImplementedError: names are not looked up by socket.getaddrinfo()"}
        except TypeError as error:
            return {"error": f"NotImplementedError: {error}"}  # an option that this loop does not have
        except OSError as error:
            return {"raised": type(error).__name__, "errors": 1}
        reached = ports.index(transport.get_extra_info("peername")[1])
        transport.abort()
        await asyncio.sleep(0)
        return {"reached": reached}


def _end(letter: str) -> socket.socket:
    """A socket that others can, or cannot, connect to."""
    end = socket.socket()
    end.bind(("127.0.0.1", 0))
    if letter == "l":
        end.listen()
    elif letter == "s":
        end.listen(0)
    return end


def _crowd(end: socket.socket) -> list[socket.socket]:
    """Clients that fill the queue of a listener: Linux does not answer those who come after them."""
    guests = []
    for _ in range(_CROWD):
        guest = socket.socket()
        guest.setblocking(False)
        guest.connect_ex(end.getsockname())
        guests.append(guest)
    return guests


def _answer(call: Callable[[], object]) -> str:
    try:
        return _as_text(call())
    except OSError as error:
        return type(error).__name__


def _as_text(answer: object) -> str:
    """Addresses in any order, and without the difference between numbers and enumerations."""
    if isinstance(answer, list):
        return repr(sorted((int(a), int(b), int(c), d, e) for a, b, c, d, e in answer))
    return repr(answer)
