"""A session of its own for each thread, kept from job to job, and for each job as good as new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.runtime.keeper import Keeper, custody, shelf, this_thread

LONGEST_REST: Final = 60.0
"""Seconds until a session is closed, after its last use."""

LONGEST_LOAN: Final = 15.0
"""Seconds until one that could be lent, and that nobody needed, is closed."""

_keepers: Final[WeakKeyDictionary[BaseDatabaseWrapper, Keeper]] = WeakKeyDictionary()


def take_over(process_name: str) -> None:
    """Let no session of this process be pooled, and those with the job database be watched over.

    To be called before its threads start. What the project says of its own sessions holds.
    """
    close_connections()
    for settings in connections.settings.values():
        settings["OPTIONS"] = {k: v for k, v in settings["OPTIONS"].items() if k != "pool"}
    options = connections.settings[conf().database]["OPTIONS"]
    ours = db.twin().parameters(process_name)
    is_named_by_us = "application_name" in ours.keys() - options.keys()
    custody.process_name = process_name if is_named_by_us else ""
    options.update({k: v for k, v in ours.items() if k not in options})
    custody.is_ours = True


def share_with_threads() -> None:
    """Let threads that will be there go on with the main thread's session: it has their limits."""
    limit(**db.twin().LIMITS)
    lend_at_rest()


@contextmanager
def sharing_with_threads() -> Iterator[None]:
    """The same where somebody has called us who goes on, even if no thread comes to be."""
    share_with_threads()
    try:
        yield
    finally:
        share_no_more()


def close_connections() -> None:
    """What is open at a fork would be shared; a pool has threads as well."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def limit(**limits: str) -> None:
    """Let the sessions that this thread will open have settings of their own from the start."""
    this_thread.limits = limits


def can_be_lent() -> bool:
    """SQLite's can't: they cost nothing, and each knows its own version."""
    return db.connection().vendor == "postgresql"


def lend_at_rest() -> None:
    """Let this thread lend its sessions to others that do, and borrow theirs.

    All have the same limits.
    """
    if can_be_lent():
        this_thread.lends = True
        _keeper_of(db.connection())


def rest() -> None:
    """Called by a thread that will use no session for a while."""
    connection = db.connection()
    keeper = _keepers.get(connection)
    if hasattr(this_thread, "lends") and keeper and connection.connection is not None:
        keeper.lend(connection)


def hand_over() -> None:
    """Leave this thread's session to the next that needs one; others it opens as Django does."""
    rest()
    share_no_more()


def share_no_more() -> None:
    """Let this thread open sessions as Django does, if it did not come to hand its own over."""
    db.connection().close()
    for terms in "limits", "lends":
        vars(this_thread).pop(terms, None)


def tidy() -> None:
    """Keep the sessions that this thread has used, as good as new; close those that can't be."""
    if not getattr(this_thread, "has_connected", False):
        return
    this_thread.has_connected = False
    for connection in _initialized():
        if connection.connection is not None:
            _put_away(connection)
        connection.errors_occurred = connection.force_debug_cursor = False
        connection.run_commit_hooks_on_set_autocommit_on = False
        connection.queries_log.clear()
        connection.execute_wrappers.clear()
        connection.run_on_commit = []
        connection.rollback_exc = None  # type: ignore[attr-defined] # not in stubs


def _initialized() -> list[BaseDatabaseWrapper]:
    """As `connections.all(initialized_only=True)`, which looks each up twice, for each job."""
    ours = connections._connections  # type: ignore[attr-defined] # not in stubs
    return [found for alias in connections if (found := getattr(ours, alias, None))]


def _put_away(connection: BaseDatabaseWrapper) -> None:
    is_amiss = connection.in_atomic_block or not connection.autocommit
    keeper = _keepers.get(connection)
    if is_amiss or keeper is None or not keeper.keep(connection):
        with suppress(Error):  # what can't even be closed is gone as well
            connection.close()
    if is_amiss:
        del connections[connection.alias]


def way_back(connection: BaseDatabaseWrapper) -> bytes:
    """How its session may be left in the message that asks the last of it; empty if it may not."""
    keeper = _keepers.get(connection)
    return keeper.way_back(connection) if keeper else b""


def put_away(connection: BaseDatabaseWrapper) -> None:
    """Keep at once a session that was left like that: whoever uses it again has it made good."""
    if keeper := _keepers.get(connection):
        keeper.keep_what_was_left(connection)


def close_all() -> None:
    """Close all sessions of this thread, those too that are kept."""
    for connection in connections.all(initialized_only=True):
        if (keeper := _keepers.get(connection)) and (session := keeper.take()):
            session.close()
        connection.close()


def close_lent() -> None:
    """Close what lies about, once all threads that lend have ended."""
    shelf.close()


def close_unused() -> int:
    """Close what has rested for long, and what threads left open that have ended; how many."""
    with custody.lock:
        known = list(_keepers.items())
    closed = shelf.close(after=LONGEST_LOAN)
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
    with custody.lock:
        known = list(_keepers.items())
    return len(shelf) + sum(keeper.holds_open(connection) for connection, keeper in known)


def known() -> list[BaseDatabaseWrapper]:
    """All that have ever been open; takes no lock, for the fork of a process can't wait for one."""
    return list(_keepers)


def _remember(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    this_thread.has_connected = True
    _keeper_of(connection).meet(connection)


def _keeper_of(connection: BaseDatabaseWrapper) -> Keeper:
    with custody.lock:
        keeper = _keepers.get(connection) or Keeper(connection)
        _keepers[connection] = keeper
    return keeper


connection_created.connect(_remember, dispatch_uid="forge_jobs.runtime.sessions")
