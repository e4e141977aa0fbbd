"""Waking by noticing that the database's files are written, and asking SQLite what that means."""

import os
import time
from collections import deque
from contextlib import closing
from typing import ClassVar, Final, NamedTuple, Protocol

from forge_jobs import db
from forge_jobs.wake import local
from forge_jobs.wake.arrivals import Arrivals
from forge_jobs.wake.base import Listener
from forge_jobs.wake.inotify import Inotify

SHORTEST_REST: Final = 0.0005
LONGEST_REST: Final = 1.0
GROWTH: Final = 2.0
GROWTH_IF_UNLIKELY: Final = 8.0
LONG_REST: Final = 0.002
"""A commit that is seen only after a longer one waits for a disk, as others there will."""

GLANCE_SECONDS: Final = 0.0025
RARE_GLANCE_SECONDS: Final = 0.008
CONCERN_SECONDS: Final = 0.025
"""For so long after some brought work here others are looked for as soon as where few write."""
LEISURE_SECONDS: Final = 0.025
"""As long after a look, while somebody writes all the time and nobody here waits for news."""
GLANCES_UNTIL_QUIET: Final = 400
CHANGES_UNTIL_BUSY: Final = 8
BUSY_SECONDS: Final = 0.25
"""So many changes in so short a time, and each write need not be looked into at once."""

VERSION: Final = "PRAGMA data_version"


class Watch(Protocol):
    """One of the two ways to notice a write; `misses_none` where none can stay unnoticed."""

    misses_none: ClassVar[bool]

    def wait(self, seconds: float) -> bool:
        """Whether something was written; tells so at once, or else after so many seconds."""
        ...

    def close(self) -> None: ...


class SQLiteListener(Listener):
    """Looks at `PRAGMA data_version` after a write, for only that tells of a commit.

    The file is written before the commit is complete, by as much as the disk takes; so a look
    that is too early is followed by others; see `Looks`.
    """

    method = "a watch on the database file"

    def listen(self) -> None:
        connection = db.connection()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA database_list")
            path = next(row[2] for row in cursor.fetchall() if row[1] == "main")
        ask = connection.connection.cursor().execute
        version = ask(VERSION).fetchall()  # and the files beside it are there
        local.ring(local.ANY)
        with (
            connection.wrap_database_errors,
            self.arrivals() as arrivals,
            closing(_watch(path, arrivals)) as watch,
        ):
            looks = Looks(misses_none=watch.misses_none)
            while not self.stopping.is_set():
                was_written = watch.wait(looks.rest)
                looked, before = ask(VERSION).fetchall(), version
                version = looked
                looks.go_on(Seen(was_written, looked != before), moment=time.monotonic())
                if looked != before:
                    local.ring(local.ANY)
                time.sleep(looks.pause)


class Seen(NamedTuple):
    """Whether there was a write since the look before, and whether this look sees a commit."""

    was_written: bool
    has_changed: bool


class Looks:
    """How long to `rest` until the next look unless a write comes, and, before that, to `pause`
    whatever comes; in seconds.

    One session writes at a time. So what is new without a further write is the commit of the last
    one, and there is nothing else to come. But what is new right after a write may be the commit
    before it, though that is seldom where commits do not take long.
    """

    def __init__(self, *, misses_none: bool) -> None:
        self._misses_none = misses_none
        self._growth = GROWTH
        self._commits_take_long = False
        self._changes = deque([0.0] * CHANGES_UNTIL_BUSY, maxlen=CHANGES_UNTIL_BUSY)
        self.rest = SHORTEST_REST
        self.pause = 0.0

    def go_on(self, seen: Seen, *, moment: float) -> None:
        """After a look; `moment` is when that was, by the monotonic clock."""
        if seen.has_changed:
            self._changes.append(moment)
        self.pause = self._pause(seen, moment)
        if seen.was_written:
            self.rest = SHORTEST_REST
            is_unlikely = seen.has_changed and not self._commits_take_long
            self._growth = GROWTH_IF_UNLIKELY if is_unlikely else GROWTH
        elif seen.has_changed and self._misses_none:
            self._commits_take_long = self.rest > LONG_REST
            self.rest = LONGEST_REST
        else:
            self.rest = min(LONGEST_REST, self._growth * self.rest)

    def _pause(self, seen: Seen, moment: float) -> float:
        if moment - self._changes[0] >= BUSY_SECONDS:
            return GLANCE_SECONDS if seen.has_changed else 0.0
        if local.can_wait():
            return LEISURE_SECONDS
        if seen.has_changed:
            concern_us = moment - local.found_at() < CONCERN_SECONDS
            return GLANCE_SECONDS if concern_us else RARE_GLANCE_SECONDS
        return SHORTEST_REST if seen.was_written else 0.0


class Told:
    """By the system, at once and for nothing."""

    misses_none: ClassVar = True

    def __init__(self, path: str, arrivals: Arrivals) -> None:
        self._inotify = Inotify(filter(os.path.exists, (path, f"{path}-wal")))
        self._arrivals = arrivals
        arrivals.expect_at(self._inotify.descriptor)

    def wait(self, seconds: float) -> bool:
        self._arrivals.wait(seconds)
        return self._inotify.take()

    def close(self) -> None:
        self._inotify.close()


class Glances:
    """At a file's time and size, a tenth as dear as a look into it; fewer after a quiet second.

    Of writes within one tick of the file system's clock it sees the first.
    """

    misses_none: ClassVar = False

    def __init__(self, path: str, arrivals: Arrivals) -> None:
        self._path = path
        self._arrivals = arrivals
        self._seen = _glance(path)
        self._unchanged = 0

    def wait(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while True:
            is_quiet = self._unchanged > GLANCES_UNTIL_QUIET
            is_stopped = self._arrivals.wait(RARE_GLANCE_SECONDS if is_quiet else GLANCE_SECONDS)
            if (glanced := _glance(self._path)) != self._seen:
                self._seen, self._unchanged = glanced, 0
                return True
            self._unchanged += 1
            if is_stopped or time.monotonic() >= until:
                return False

    def close(self) -> None:
        """There is nothing to."""


def _watch(path: str, arrivals: Arrivals) -> Watch:
    try:
        return Told(path, arrivals)
    except OSError:
        return Glances(path, arrivals)


def _glance(path: str) -> tuple[int, int]:
    for file in (f"{path}-wal", path):
        try:
            found = os.stat(file)
        except OSError:
            continue
        return found.st_mtime_ns, found.st_size
    return 0, 0
