"""Notices that a connection is closed inside of a transaction: what was written there is lost.

Django rolls back and goes on as if nothing had been, so that its code can end in order. A handler
that calls `close_old_connections()` in its own `atomic()` would be taken for a success.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.signals import connection_created

from forge_jobs.handlers.inside import lost_by_run


class WritesLost(Exception):
    """A connection was closed inside of a transaction, by whoever wrote in it."""


def begin() -> None:
    """From now on keep what is lost in this context, and in the threads that it is handed to."""
    lost_by_run.set([])


def check() -> None:
    """Raise `WritesLost` if a connection has been closed in a transaction since."""
    if lost := lost_by_run.get():
        raise WritesLost(
            f"The connection {lost[0]!r} was closed inside of a transaction, and what the handler "
            f"wrote there is lost. Call close_old_connections() outside of atomic() only."
        )


def _watch(*, connection: Any, **kwargs: Any) -> None:
    if "_close" in vars(connection):
        return
    close = connection._close

    def tell_and_close() -> None:
        lost = lost_by_run.get()
        if lost is not None and connection.in_atomic_block:
            lost.append(connection.alias)
        close()

    connection._close = tell_and_close


connection_created.connect(_watch, dispatch_uid="forge_jobs.runtime.running.transactions")
