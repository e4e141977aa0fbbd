"""Notices that a connection is closed inside of a transaction: what was written there is lost.

Django rolls back and goes on as if nothing had been, so that its code can end in order. A handler
that calls `close_old_connections()` in its own `atomic()` would be taken for a success.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from django.db.backends.signals import connection_created

_lost: Final[ContextVar[list[str] | None]] = ContextVar("lost", default=None)
"""The connections that one run lost, in whichever thread it used them."""


class WritesLost(Exception):
    """A connection was closed inside of a transaction, by whoever wrote in it."""


def begin() -> None:
    """From now on keep what is lost in this context, and in the threads that it is handed to."""
    _lost.set([])


def check() -> None:
    """Raise `WritesLost` if a connection has been closed in a transaction since."""
    if lost := _lost.get():
        raise WritesLost(
            f"The connection {lost[0]!r} was closed inside of a transaction, and what the handler "
            f"wrote there is lost. Call close_old_connections() outside of atomic() only."
        )


def _watch(*, connection: Any, **kwargs: Any) -> None:
    if "_close" in vars(connection):
        return
    close = connection._close

    def tell_and_close() -> None:
        lost = _lost.get()
        if lost is not None and connection.in_atomic_block:
            lost.append(connection.alias)
        close()

    connection._close = tell_and_close


connection_created.connect(_watch, dispatch_uid="forge_jobs.runtime.running.transactions")
