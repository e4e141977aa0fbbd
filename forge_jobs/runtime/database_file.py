"""Notices that SQLite's file is another one than this process has open, and ends the process."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from forge_jobs import db
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.outage import Stopped
from forge_jobs.runtime.write_turn import WriteTurn
from forge_jobs.services.base import Service

Identity = tuple[int, int] | None


class DatabaseFile(Service):
    """It may be moved, deleted, or restored from a backup while sessions have it open.

    They go on in a file that nobody else will ever see. What it says of jobs is void, and so is
    what would be written there: only a new process, which opens the new file, can go on.

    As a context it lets one thread write at a time: SQLite does so as well, but makes the others
    sleep in growing steps until they find it free. It raises `Stopped` if the file is another one.
    """

    interval = timedelta(seconds=1)

    def __init__(self, lifecycle: Lifecycle, *, turn: WriteTurn) -> None:
        self._lifecycle = lifecycle
        self._path = _path()
        self._known = _identity(self._path)
        self._has_given_up = False
        self._turn = turn
        self._session: Any = None
        self._beside: dict[str, Identity] = {}

    def __enter__(self) -> None:
        self._turn.take()
        if not self.is_ours():
            self._turn.give_back()
            raise Stopped

    def __exit__(self, *exc_info: object) -> None:
        self._turn.give_back()

    def run_once(self, *, now: datetime) -> int:
        if not self.is_ours():
            self._give_up(f"the database file {self._path} was replaced, moved or deleted")
        elif changed := self._changed_beside():
            self._give_up(f"{changed}, a part of the database, was replaced, moved or deleted")
        return 0

    def is_ours(self) -> bool:
        """Whether the path leads to the file that was there at the start; costs a glance."""
        if not self._path:
            return True
        return not self._has_given_up and _identity(self._path) == self._known

    def _changed_beside(self) -> str:
        """Which file beside the database has changed; they stay as long as a session is open."""
        session = db.connection().connection
        if session is None or session is not self._session:
            with db.connection().cursor() as cursor:
                cursor.execute("PRAGMA schema_version")  # opens them
            self._session = db.connection().connection
            self._beside = {
                file: identity
                for file in (f"{self._path}-wal", f"{self._path}-shm")
                if (identity := _identity(file))
            }
        changed = (file for file, known in self._beside.items() if _identity(file) != known)
        return next(changed, "")

    def _give_up(self, reason: str) -> None:
        """Stop at once: there is nothing to wait for, as no outcome can be written."""
        if not self._has_given_up:
            self._has_given_up = True
            self._lifecycle.fail(reason)
            self._lifecycle.request_stop(reason)


def _path() -> str:
    """Empty if the database is in memory."""
    with db.connection().cursor() as cursor:
        cursor.execute("PRAGMA database_list")
        path: str = next(row[2] for row in cursor.fetchall() if row[1] == "main")
    return path


def _identity(file: str) -> Identity:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
