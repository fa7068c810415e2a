"""Programs that broke a rule once, kept to be played first the next time.

They are kept in Hypothesis's own databases, under a key for each subject and rule, as the JSON that
``--program`` takes: what is kept stays good when strategies, Hypothesis or Python change, and can be read by
people. It is the shrunk program that is kept; one that breaks its rule no more is thrown away.

    DIR                      a folder, made when it is not there
    redis://HOST:PORT/N      a Redis server, for many machines
    read-only:DIR, read-only:redis://…    played from, but never changed
    none                     nothing is kept

Which one: ``--database`` (several: all are read and written), else MUXLOOP_DATABASE, else a folder under the
user's cache directory. A run with ``--seed`` leaves that last one out, and so depends on its seed alone; a
database that is named is used with a seed too: what it holds is played before what the seed makes up.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

from ..errors import UsageError
from .program import Program, as_json, parse
from .vocabulary import ActionSpec

VARIABLE = "MUXLOOP_DATABASE"
ENOUGH = 10
"""So many programs of a rule are played from the database at the most, the shortest ones."""
_READ_ONLY = "read-only:"
_REDIS = ("redis://", "rediss://", "unix://")
_KEPT_FOR = timedelta(days=90)
_ANSWERS_WITHIN_S = 5.0


class FailedPrograms:
    """The programs of one subject that broke a rule, in any number of databases."""

    def __init__(self, subject: str, vocabulary: dict[str, ActionSpec], places: Sequence[str]) -> None:
        self._subject = subject
        self._vocabulary = vocabulary
        self._places = places
        self._opened: ExampleDatabase | None = None

    def of(self, rule: str) -> list[Program]:
        """What broke that rule before, the shortest first; what is no program any more is left out."""
        programs = []
        with _never_mind():
            for text in sorted(self._database.fetch(self._key(rule)), key=len):
                with contextlib.suppress(UsageError, UnicodeDecodeError):
                    programs.append(parse(text.decode(), self._vocabulary))
        return programs[:ENOUGH]

    def keep(self, rule: str, program: Program) -> None:
        with _never_mind():
            self._database.save(self._key(rule), as_json(program).encode())

    def forget(self, rule: str, program: Program) -> None:
        with _never_mind():
            self._database.delete(self._key(rule), as_json(program).encode())

    @property
    def _database(self) -> ExampleDatabase:
        if self._opened is None:
            self._opened = MultiplexedDatabase(*(_opened(place) for place in self._places))
        return self._opened

    def _key(self, rule: str) -> bytes:
        return f"muxloop {self._subject} {rule}".encode()


@contextlib.contextmanager
def _never_mind() -> Any:
    """A database that goes away during a run is no reason to lose the run; ``chosen`` saw it there."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] != "redis":
            raise


def chosen(named: Sequence[str], option: str, *, seeded: bool) -> tuple[str, ...]:
    """The databases of a run, each tried; UsageError, in one line, for one that cannot be had."""
    if not named and os.environ.get(VARIABLE):
        named, option = [os.environ[VARIABLE]], VARIABLE
    if not named:
        return () if seeded else _default()
    if "none" in named:
        if len(named) > 1:
            raise UsageError(f"{option} none: stands alone; leave it out, or the other databases")
        return ()
    places = tuple(_absolute(place) for place in named)
    for place in places:
        _check(place, option)
    return places


def shown(places: Sequence[str]) -> str:
    """The databases for a report, without passwords."""
    return ", ".join(re.sub("//[^/@]*@", "//…@", place) for place in places) or "none"


def _default() -> tuple[str, ...]:
    """The folder under the user's cache directory; none where it cannot be written."""
    folder = cache_folder() / "programs"
    try:
        _check(str(folder), "--database")
    except UsageError:
        return ()
    return (str(folder),)


def cache_folder() -> Path:
    """Where this user's programs keep what can be done without; XDG Base Directory Specification on Unix."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "muxloop" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "muxloop"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "muxloop"


def _absolute(place: str) -> str:
    """A folder as an absolute path: the processes of a run need not share one current folder."""
    prefix = _READ_ONLY if place.startswith(_READ_ONLY) else ""
    target = place.removeprefix(prefix)
    if "://" in target or not target:
        return place
    return prefix + str(Path(target).expanduser().absolute())


def _check(place: str, option: str) -> None:
    target = place.removeprefix(_READ_ONLY)
    if target.startswith(_REDIS):
        _check_redis(target, option)
    elif "://" in target or not target:
        raise UsageError(f"{option} {shown([place])!r}: give a folder, redis://HOST:PORT/N, or none")
    else:
        _check_folder(Path(target), option, written=target == place)


def _check_folder(folder: Path, option: str, *, written: bool) -> None:
    try:
        if written:
            folder.mkdir(parents=True, exist_ok=True)
        os.listdir(folder)
    except OSError as error:
        raise UsageError(f"{option} {folder}: {error.strerror}") from None
    if written and not os.access(folder, os.W_OK):
        raise UsageError(
            f"{option} {folder}: cannot be written; name another folder, or {_READ_ONLY}{folder}"
        )


def _check_redis(url: str, option: str) -> None:
    try:
        import redis
    except ImportError:
        raise UsageError(f"{option} {shown([url])}: redis is not installed; pip install redis") from None
    try:
        _redis(url).ping()
    except (ValueError, OSError, redis.RedisError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{option} {shown([url])}: no Redis answers there: {reason:.160}") from None


def _redis(url: str) -> Any:
    import redis

    return redis.Redis.from_url(
        url, socket_connect_timeout=_ANSWERS_WITHIN_S, socket_timeout=_ANSWERS_WITHIN_S
    )


def _opened(place: str) -> ExampleDatabase:
    target = place.removeprefix(_READ_ONLY)
    database: ExampleDatabase
    if target.startswith(_REDIS):
        from hypothesis.extra.redis import RedisExampleDatabase

        database = RedisExampleDatabase(_redis(target), expire_after=_KEPT_FOR, key_prefix=b"muxloop:")
    else:
        database = DirectoryBasedExampleDatabase(target)
    return ReadOnlyDatabase(database) if place.startswith(_READ_ONLY) else database
