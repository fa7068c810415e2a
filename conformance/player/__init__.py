"""Plays a program on a subject and notes what happens; a history comes back.

``stage`` notes events and ends runs; the other files hold the actions, by subject. Only public methods of a
loop or selector are called.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import selectors
import warnings
from collections.abc import Callable
from typing import Any

from ..program import Program
from . import leaving
from .contradictions import Contradictions
from .datagrams import Datagrams
from .failures import Failures
from .names import Names
from .pipes import Pipes
from .processes import Processes
from .selecting import SelectorPlayer
from .shutdown import Shutdown
from .signals import Signals
from .sock_files import SockFiles
from .sock_messages import SockMessages
from .special_files import SpecialFiles
from .task_factories import TaskFactories
from .threads import Threads
from .tls import Tls

Events = list[tuple[float, str, str, str, dict[str, Any]]]


class LoopPlayer(
    TaskFactories,
    Contradictions,
    SpecialFiles,
    Shutdown,
    Failures,
    Names,
    Signals,
    Processes,
    Datagrams,
    leaving.Leaving,
    Tls,
    Pipes,
    Threads,
    SockMessages,
    SockFiles,
):
    """All actions on event loops."""

    def has_open(self) -> bool:
        """Whether the program has left a transport or a server open, which is the program's to close."""
        made = [link for link in self.links.values() if link.transport is not None and not link.lost]
        endpoints = [each for each in self.endpoints.values() if not each.closed]
        servers = [each for each in self.servers.values() if not each.closed]
        return bool(made or endpoints or servers or self._processes or self._errands)

    def finish(self) -> None:
        """Leave nothing behind: threads, jobs, signal handlers, sockets, the loop."""
        asyncio._set_running_loop(None)
        self.do_feed()  # first: whatever fails below, the next play needs descriptors
        self.release_jobs()
        self.end_processes()
        self.join_threads()
        self.restore_signals()
        if not self.loop.is_closed():
            self.loop.close()
        self.restore_dispositions()
        self.close_pools()
        self.close_pairs()
        self.close_doors()
        self.close_boxes()
        self.close_links()
        self.close_endpoints()
        self.close_servers()


class _LogNotes(logging.Handler):
    """Turns what is logged into events; asyncio has the logger "asyncio", a loop may have one of its own."""

    def __init__(self, player: LoopPlayer) -> None:
        super().__init__()
        self.player = player

    def emit(self, record: logging.LogRecord) -> None:
        self.player.note("logged", record.levelname, message=record.getMessage()[:300])


def play_on_loop(
    make_loop: Callable[[], asyncio.AbstractEventLoop], program: Program, tolerance: float
) -> Events:
    """Play a program on a fresh loop; the events noted. A player that breaks notes that too."""
    return contextvars.copy_context().run(_play_on_loop, make_loop, program, tolerance)


def _play_on_loop(
    make_loop: Callable[[], asyncio.AbstractEventLoop], program: Program, tolerance: float
) -> Events:
    before = leaving.Before() if leaving.wanted(program) else None
    player = LoopPlayer(make_loop, tolerance)
    logger, notes = logging.getLogger(), _LogNotes(player)
    logger.addHandler(notes)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ResourceWarning)
        try:
            player.perform(program)
        except BaseException as error:
            player.note("broken-player", "", error=repr(error))
        played = _finished(player)
        logger.removeHandler(notes)
        if before is not None and player.loop.is_closed() and played[-1][2] != "unfinished":
            ended, remains, loops = player.now(), player.remains(), [player.forsaken_loop()]
            in_use = player.has_open()
            del player, notes
            left = before.left(loops, remains, [] if in_use else warned, tolerance)
            if leaving.asked_for(program) or any(left.values()):
                played.append((ended, "main", "left", "", left))
    return played


def _finished(player: LoopPlayer | SelectorPlayer) -> Events:
    """The events of the play; what the cleaning up sets off is no part of it."""
    played = list(player.events)
    try:
        player.finish()
    except BaseException as error:
        played.append((player.now(), "main", "unfinished", "", {"error": repr(error)}))
    return played


def play_on_selector(
    make_selector: Callable[[], selectors.BaseSelector], program: Program, tolerance: float
) -> Events:
    """Play a program on a fresh selector; the events noted."""
    player = SelectorPlayer(make_selector, tolerance)
    try:
        player.perform(program)
    except BaseException as error:
        player.note("broken-player", "", error=repr(error))
    return _finished(player)
