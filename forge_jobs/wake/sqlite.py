"""Waking by noticing that the database's files are written, and asking SQLite what that means."""

import os
import time
from collections import deque
from contextlib import closing
from typing import Final, Protocol

from forge_jobs import db
from forge_jobs.wake import local
from forge_jobs.wake.arrivals import Arrivals
from forge_jobs.wake.base import Listener
from forge_jobs.wake.inotify import Inotify

SHORTEST_REST: Final = 0.0005
LONGEST_REST: Final = 1.0
GLANCE_SECONDS: Final = 0.0025
RARE_GLANCE_SECONDS: Final = 0.008
LEISURE_SECONDS: Final = 0.025
"""As long after a look, while somebody writes all the time and nobody here waits for news."""
GLANCES_UNTIL_QUIET: Final = 400
CHANGES_UNTIL_BUSY: Final = 8
BUSY_SECONDS: Final = 0.25
"""So many changes in so short a time, and each write need not be looked into at once."""


class Watch(Protocol):
    """One of the two ways to notice a write."""

    def wait(self, seconds: float) -> bool:
        """Whether something was written; tells so at once, or else after so many seconds."""
        ...

    def close(self) -> None: ...


class SQLiteListener(Listener):
    """Looks at `PRAGMA data_version` after a write, for only that tells of a commit.

    The file is written before the commit is complete, by as much as the disk takes; so a look
    that is too early is followed by others, each after twice as long as the one before.
    """

    method = "a watch on the database file"

    def listen(self) -> None:
        connection = db.connection()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA database_list")
            path = next(row[2] for row in cursor.fetchall() if row[1] == "main")
        ask = connection.connection.execute
        (version,) = ask("PRAGMA data_version").fetchone()  # and the files beside it are there
        local.ring(local.ANY)
        rest = SHORTEST_REST
        changes: deque[float] = deque([0.0] * CHANGES_UNTIL_BUSY, maxlen=CHANGES_UNTIL_BUSY)
        with (
            connection.wrap_database_errors,
            self.arrivals() as arrivals,
            closing(_watch(path, arrivals)) as watch,
        ):
            while not self.stopping.is_set():
                was_written = watch.wait(rest)
                (looked,) = ask("PRAGMA data_version").fetchone()
                rest = SHORTEST_REST if was_written else min(LONGEST_REST, 2 * rest)
                moment = time.monotonic()
                if has_changed := looked != version:
                    version = looked
                    changes.append(moment)
                    local.ring(local.ANY)
                if moment - changes[0] < BUSY_SECONDS:  # somebody writes all the time
                    time.sleep(LEISURE_SECONDS if local.can_wait() else RARE_GLANCE_SECONDS)
                elif has_changed:
                    time.sleep(GLANCE_SECONDS)


class Told:
    """By the system, at once and for nothing."""

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
    """At a file's time and size, a tenth as dear as a look into it; fewer after a quiet second."""

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
