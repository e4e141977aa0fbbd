"""Notices that a connection is closed inside of a transaction: what was written there is lost.

Django rolls back and goes on as if nothing had been, so that its code can end in order. A handler
that calls `close_old_connections()` in its own `atomic()` would be taken for a success.
"""

from __future__ import annotations

from threading import local
from typing import Any

from django.db.backends.signals import connection_created

_thread = local()


class WritesLost(Exception):
    """A connection was closed inside of a transaction, by whoever wrote in it."""


def begin() -> None:
    """Forget what this thread lost before."""
    _thread.lost = ""


def check() -> None:
    """Raise `WritesLost` if this thread has closed a connection in a transaction since."""
    if alias := getattr(_thread, "lost", ""):
        raise WritesLost(
            f"The connection {alias!r} was closed inside of a transaction, and what the handler "
            f"wrote there is lost. Call close_old_connections() outside of atomic() only."
        )


def _watch(*, connection: Any, **kwargs: Any) -> None:
    if "_close" in vars(connection):
        return
    close = connection._close

    def tell_and_close() -> None:
        if connection.in_atomic_block:
            _thread.lost = connection.alias
        close()

    connection._close = tell_and_close


connection_created.connect(_watch, dispatch_uid="forge_jobs.runtime.running.transactions")
