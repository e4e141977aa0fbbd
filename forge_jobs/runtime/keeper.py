"""Keeps the session that a wrapper leaves, for its thread or, while that rests, for others."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from threading import Lock, Thread, current_thread, local
from typing import Any, Final
from weakref import finalize

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.runtime.shelf import Shelf

LONGEST_LIFE: Final = 900.0
"""Seconds until a session is closed, by its beginning."""

TRUSTED_SECONDS: Final = 5.0
"""After a longer rest the server is asked whether the session is still there."""

this_thread: Final = local()
shelf: Final = Shelf()


class Custody:
    """What all keepers of a process go by."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_ours = False
        self.process_name = ""
        """By which sessions are named; empty if the project names them."""

    def renew_lock(self) -> None:
        """A thread that is not there after a fork may have held it."""
        self.lock = Lock()


custody: Final = Custody()
os.register_at_fork(after_in_child=custody.renew_lock)


def _others_set_up() -> bool:
    """Whether a project's own receiver is told of each session that Django sets up."""
    return any(
        not str(key[0]).startswith("forge_jobs.") for key, *_ in connection_created.receivers
    )


class Keeper:
    """Stands where one of Django's wrappers asks for a session, and gives it the one it left.

    A wrapper whose session is kept here looks unconnected. So a job that needs none pays nothing,
    and for one that does Django sets the session up like any other, if that was undone.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.thread: Final[Thread] = current_thread()
        self._session: Any = None
        self._traits: object = None
        self._dies_at = 0.0
        self._kept: Any = None
        self._kept_at = 0.0
        self._back = b""
        self._is_restored = True
        self._twin: Any = None
        # Others' wrappers believe things of a session that a fresh one would belie.
        if type(connection).__module__.startswith("django."):
            with suppress(NotSupportedError):
                self._twin = db.twin_of(connection.vendor)
                connection.ensure_connection = partial(self.ensure, connection)  # type: ignore[method-assign] # of this one
                connection.get_new_connection = partial(self.give, connection)  # type: ignore[method-assign] # of this one
                finalize(connection, self.bury, os.getpid()).atexit = False

    def ensure(self, connection: BaseDatabaseWrapper) -> None:
        """Connect the wrapper; to a session that is as it was set up without further ado."""
        this_thread.has_connected = True
        if connection.connection is None and self._is_as_set_up():
            connection.connection = self._living()
            age = connection.settings_dict["CONN_MAX_AGE"]
            connection.close_at = None if age is None else time.monotonic() + age
        if connection.connection is None:
            type(connection).ensure_connection(connection)

    def give(self, connection: BaseDatabaseWrapper, parameters: Any) -> Any:
        """The session that was left here, if it is still good, else a new one."""
        if hasattr(this_thread, "lends") and (session := self._borrow(connection)):
            return session
        return self._living() or type(connection).get_new_connection(connection, parameters)

    def meet(self, connection: BaseDatabaseWrapper) -> None:
        """Remember how a session is that has just been set up."""
        if self._twin and self._session is not connection.connection:
            self._session = connection.connection
            furnished = self._furnish(connection)
            self._back = self._twin.way_back(self._session, furnished)
            self._is_restored = not self._back or (
                "TimeZone" in furnished and "assume_role" not in connection.settings_dict["OPTIONS"]
            )
            self._traits = self._twin.traits(connection.connection)
            self._dies_at = time.monotonic() + LONGEST_LIFE * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    def keep(self, connection: BaseDatabaseWrapper) -> bool:
        """Take a session from its wrapper; False if it is old, troubled, or not as it was."""
        if not (self._is_fit(connection) and self._twin.wipe(self._session, self._back)):
            return False
        self._put_away(connection)
        return True

    def way_back(self, connection: BaseDatabaseWrapper) -> bytes:
        """How its session may be left by who asks the last of it; in a process of ours only."""
        is_known = self._traits is not None and connection.connection is self._session
        return self._back if is_known and custody.is_ours else b""

    def keep_what_was_left(self, connection: BaseDatabaseWrapper) -> None:
        """Take a session that was left like that; one that is not fit is for others to see to."""
        if self._is_fit(connection):
            self._put_away(connection)

    def _is_fit(self, connection: BaseDatabaseWrapper) -> bool:
        """Whether a wrapper has the session that it was given, as it was, and not for too long."""
        session = connection.connection
        return (
            self._traits is not None
            and session is self._session
            and not connection.errors_occurred
            and time.monotonic() <= self._dies_at
            and self._twin.traits(session) == self._traits
        )

    def _put_away(self, connection: BaseDatabaseWrapper) -> None:
        with custody.lock:
            self._kept, self._kept_at = self._session, time.monotonic()
        connection.connection = None

    def lend(self, connection: BaseDatabaseWrapper) -> None:
        """Let others have the session while its thread rests; one that is not as it was goes."""
        if self._twin is None:
            return
        session, self._session = self._session, None
        is_fit = (
            session is connection.connection
            and not connection.in_atomic_block
            and not connection.errors_occurred
            and time.monotonic() < self._dies_at
            and self._traits is not None
            and self._twin.traits(session) == self._traits
        )
        if is_fit:
            connection.connection = None
            shelf.put(session, traits=self._traits, dies_at=self._dies_at)
        else:
            connection.close()

    def _borrow(self, connection: BaseDatabaseWrapper) -> Any:
        """A session that another thread has left, with all that it needs; None if there is none."""
        if connection.alias != conf().database or (lent := shelf.take()) is None:
            return None
        has_rested = time.monotonic() - lent.since > TRUSTED_SECONDS
        if not self._twin.is_alive(lent.session, has_rested=has_rested):
            lent.session.close()
            return None
        self._session, self._traits, self._dies_at = lent.session, lent.traits, lent.dies_at
        return lent.session

    def take(self, *, after: float = 0.0) -> Any:
        """What is kept, which then is the caller's; None if it has not lain for so many seconds."""
        with custody.lock:
            session, self._kept = self._kept, None
            if session and time.monotonic() - self._kept_at < after:
                session, self._kept = None, session
        return session

    def _living(self) -> Any:
        """The session that is kept, if it still is there."""
        rest = time.monotonic() - self._kept_at
        if (session := self.take()) is None:
            return None
        if self._twin.is_alive(session, has_rested=rest > TRUSTED_SECONDS):
            return session
        session.close()
        return None

    def _is_as_set_up(self) -> bool:
        """Whether the way back leads to all that Django, and whoever it tells, would do anew."""
        return not self._back or (self._is_restored and not _others_set_up())

    def bury(self, process_id: int) -> None:
        """Close what is left when its wrapper has gone with its thread; not in a fork of it.

        Takes no lock, for the garbage collector may come by while its own thread holds it.
        """
        if self._session is not None and os.getpid() == process_id:
            self._session.close()

    def holds_open(self, connection: BaseDatabaseWrapper) -> bool:
        return self._kept is not None or connection.connection is not None

    def _furnish(self, connection: BaseDatabaseWrapper) -> Mapping[str, str]:
        """Tell a session whose it is, and how it is to be; returns what it took of that."""
        if not custody.is_ours or connection.alias != conf().database:
            return {}
        settings: dict[str, str] = getattr(this_thread, "limits", {})
        if custody.process_name:
            lends = hasattr(this_thread, "lends")
            role = "services" if lends else self.thread.name.removeprefix("forge_jobs-")
            settings = {
                **settings,
                "application_name": f"forge_jobs {role} of {custody.process_name}",
            }
        if zone := connection.timezone_name:
            settings = {**settings, "TimeZone": zone}
        session = connection.connection
        furnished: Mapping[str, str] = self._twin.furnish(session, settings)
        if not furnished and hasattr(this_thread, "limits"):
            self._twin.ignore_notifications(session)
        return furnished
