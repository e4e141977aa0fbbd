"""A session of its own for each thread, kept from job to job, and for each job as good as new."""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from functools import partial
from threading import Lock, Thread, current_thread, local
from typing import Any, Final
from weakref import WeakKeyDictionary, finalize

from django.db import Error, NotSupportedError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from forge_jobs import db
from forge_jobs.conf import conf

LONGEST_LIFE: Final = 900.0
LONGEST_REST: Final = 60.0
"""Seconds until a session is closed: after its beginning, and after its last use."""

TRUSTED_SECONDS: Final = 5.0
"""After a longer rest the server is asked whether the session is still there."""

_thread = local()
_lock = Lock()
_keepers: Final[WeakKeyDictionary[BaseDatabaseWrapper, Keeper]] = WeakKeyDictionary()
_process_name = ""
"""By which sessions are named; empty if the project names them."""
_is_ours = False


class Keeper:
    """Stands where one of Django's wrappers asks for a new session, and gives it the one it left.

    A wrapper whose session is kept here looks unconnected. So a job that needs none pays nothing,
    and for one that does Django sets the session up like any other.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.thread: Final[Thread] = current_thread()
        self._session: Any = None
        self._traits: object = None
        self._dies_at = 0.0
        self._kept: Any = None
        self._kept_at = 0.0
        self._twin: Any = None
        # Others' wrappers believe things of a session that a fresh one would belie.
        if type(connection).__module__.startswith("django."):
            with suppress(NotSupportedError):
                self._twin = db.twin_of(connection.vendor)
                connection.get_new_connection = partial(self.give, connection)  # type: ignore[method-assign]
                finalize(connection, self.bury, os.getpid()).atexit = False

    def give(self, connection: BaseDatabaseWrapper, parameters: Any) -> Any:
        """The session that was left here, if it is still good, else a new one."""
        rest = time.monotonic() - self._kept_at
        if session := self.take():
            if self._twin.is_alive(session, has_rested=rest > TRUSTED_SECONDS):
                return session
            session.close()
        return type(connection).get_new_connection(connection, parameters)

    def meet(self, connection: BaseDatabaseWrapper) -> None:
        """Remember how a session is that has just been set up."""
        if self._twin and self._session is not connection.connection:
            self._furnish(connection)
            self._session = connection.connection
            self._traits = self._twin.traits(connection.connection)
            self._dies_at = time.monotonic() + LONGEST_LIFE * random.uniform(0.8, 1.2)  # noqa: S311

    def keep(self, connection: BaseDatabaseWrapper) -> bool:
        """Take a session from its wrapper; False if it is old, troubled, or not as it was."""
        session = connection.connection
        if (
            self._traits is None
            or session is not self._session
            or connection.errors_occurred
            or time.monotonic() > self._dies_at
            or self._twin.traits(session) != self._traits
            or not self._twin.wipe(session)
        ):
            return False
        try:
            with connection.wrap_database_errors:
                self._furnish(connection)
        except Error:
            return False
        with _lock:
            self._kept, self._kept_at = session, time.monotonic()
        connection.connection = None
        return True

    def take(self, *, after: float = 0.0) -> Any:
        """What is kept, which then is the caller's; None if it has not lain for so many seconds."""
        with _lock:
            session, self._kept = self._kept, None
            if session and time.monotonic() - self._kept_at < after:
                session, self._kept = None, session
        return session

    def bury(self, process_id: int) -> None:
        """Close what is left when its wrapper has gone with its thread; not in a fork of it.

        Takes no lock, for the garbage collector may come by while its own thread holds it.
        """
        if self._session is not None and os.getpid() == process_id:
            self._session.close()

    def holds_open(self, connection: BaseDatabaseWrapper) -> bool:
        return self._kept is not None or connection.connection is not None

    def _furnish(self, connection: BaseDatabaseWrapper) -> None:
        if not _is_ours or connection.alias != conf().database:
            return
        settings: dict[str, str] = getattr(_thread, "limits", {})
        if _process_name:
            role = self.thread.name.removeprefix("forge_jobs-")
            settings = {**settings, "application_name": f"forge_jobs {role} of {_process_name}"}
        if zone := connection.timezone_name:
            settings = {**settings, "TimeZone": zone}
        session = connection.connection
        if not self._twin.furnish(session, settings) and hasattr(_thread, "limits"):
            self._twin.ignore_notifications(session)


def take_over(process_name: str) -> None:
    """Let no session of this process be pooled, and those with the job database be watched over.

    To be called before its threads start. What the project says of its own sessions holds.
    """
    global _process_name, _is_ours
    close_connections()
    for settings in connections.settings.values():
        settings["OPTIONS"] = {k: v for k, v in settings["OPTIONS"].items() if k != "pool"}
    options = connections.settings[conf().database]["OPTIONS"]
    ours = db.twin().parameters(process_name)
    _process_name = process_name if "application_name" in ours.keys() - options.keys() else ""
    options.update({k: v for k, v in ours.items() if k not in options})
    _is_ours = True


def close_connections() -> None:
    """What is open at a fork would be shared; a pool has threads as well."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def limit(**limits: str) -> None:
    """Let the sessions that this thread will open have settings of their own from the start."""
    _thread.limits = limits


def tidy() -> None:
    """Keep the sessions that this thread has used, as good as new; close those that can't be."""
    if not getattr(_thread, "has_connected", False):
        return
    _thread.has_connected = False
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _put_away(connection)
        connection.errors_occurred = connection.force_debug_cursor = False
        connection.run_commit_hooks_on_set_autocommit_on = False
        connection.queries_log.clear()
        connection.execute_wrappers.clear()
        connection.run_on_commit = []
        connection.rollback_exc = None  # type: ignore[attr-defined]


def _put_away(connection: BaseDatabaseWrapper) -> None:
    is_amiss = connection.in_atomic_block or not connection.autocommit
    keeper = _keepers.get(connection)
    if is_amiss or keeper is None or not keeper.keep(connection):
        with suppress(Error):  # what can't even be closed is gone as well
            connection.close()
    if is_amiss:
        del connections[connection.alias]


def close_all() -> None:
    """Close all sessions of this thread, those too that are kept."""
    for connection in connections.all(initialized_only=True):
        if (keeper := _keepers.get(connection)) and (session := keeper.take()):
            session.close()
        connection.close()


def close_unused() -> int:
    """Close what has rested for long, and what threads left open that have ended; how many."""
    with _lock:
        known = list(_keepers.items())
    closed = 0
    for connection, keeper in known:
        session = keeper.take(after=LONGEST_REST if keeper.thread.is_alive() else 0.0)
        if not session and not keeper.thread.is_alive() and not connection.allow_thread_sharing:
            session, connection.connection = connection.connection, None
        if session:
            session.close()
            closed += 1
    return closed


def count_open() -> int:
    """How many connections to databases all threads of this process have open."""
    with _lock:
        known = list(_keepers.items())
    return sum(keeper.holds_open(connection) for connection, keeper in known)


def known() -> list[BaseDatabaseWrapper]:
    """All that have ever been open; takes no lock, for the fork of a process can't wait for one."""
    return list(_keepers)


def _remember(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    _thread.has_connected = True
    with _lock:
        keeper = _keepers.get(connection) or Keeper(connection)
        _keepers[connection] = keeper
    keeper.meet(connection)


def _renew_lock() -> None:
    """A thread that is not there after a fork may have held it."""
    global _lock
    _lock = Lock()


os.register_at_fork(after_in_child=_renew_lock)
connection_created.connect(_remember, dispatch_uid="forge_jobs.runtime.sessions")
