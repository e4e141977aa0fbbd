"""Waking sleepers when there is work; a wake only shortens a sleep, it carries no job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction

from forge_jobs import db
from forge_jobs.wake import local
from forge_jobs.wake.local import STOP

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from forge_jobs.wake.base import Listener

__all__ = ["STOP", "listener", "on_commit", "send", "send_elsewhere"]


def send(queue: str) -> None:
    """Wake whoever serves `queue`, here and in other processes."""
    local.ring(queue)
    send_elsewhere(queue)


def send_elsewhere(queue: str) -> None:
    """Wake other processes that serve `queue`; those that share SQLite's file see it change."""
    connection = db.connection()
    if connection.vendor == "postgresql":
        from forge_jobs.wake.postgresql import notify

        notify(queue)


def on_commit(
    queue: str,
    *,
    tell: Callable[[], None] | None = None,
    connection: BaseDatabaseWrapper | None = None,
) -> None:
    """Send once per queue when the current transaction commits; at once outside of one.

    `tell()` tells other processes, if that is not to be asked for by itself.
    """
    connection = connection or db.connection()
    if not connection.in_atomic_block and not connection.get_autocommit():
        return  # Django has no hook for a commit by hand; the job is found by polling
    if not _is_to_be_sent(queue, connection):
        transaction.on_commit(_Wake(queue, tell), using=connection.alias, robust=True)


def listener() -> Listener:
    """The way in which this process hears of others' enqueues."""
    if db.connection().vendor == "postgresql":
        from forge_jobs.wake.postgresql import PostgreSQLListener

        return PostgreSQLListener()
    from forge_jobs.wake.sqlite import SQLiteListener

    return SQLiteListener()


class _Wake:
    """A wake to be sent on commit, recognisable among the other hooks of a transaction."""

    def __init__(self, queue: str, tell: Callable[[], None] | None) -> None:
        self.queue = queue
        self._tell = tell
        self.__qualname__ = f"the wake of queue {queue}"  # by which Django logs a hook that fails

    def __call__(self) -> None:
        if self._tell:
            local.ring(self.queue)
            self._tell()
        else:
            send(self.queue)


def _is_to_be_sent(queue: str, connection: BaseDatabaseWrapper) -> bool:
    for hook in reversed(connection.run_on_commit):
        if isinstance(hook[1], _Wake) and hook[1].queue == queue:
            return True
    return False
