"""A transaction that begins in the message of its first statement, whoever asks that."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import PipelineStatus, TransactionStatus

if TYPE_CHECKING:  # stubs do not know what Django's is
    from psycopg import ClientCursor as Cursor
else:
    from django.db.backends.postgresql.base import Cursor

NOTHING_ELSE: Final = (None, None, None)
"""What the driver would ask of a transaction beside that it begins."""


def beginning_late(connection: BaseDatabaseWrapper) -> AbstractContextManager[object]:
    """Around what is asked in a block of `atomic()` that has just been entered.

    As ever, if anybody else has a hand in the session's cursors, or looks on.
    """
    session = connection.connection
    return _opening(session) if _can_begin_late(connection, session) else nullcontext()


@contextmanager
def _opening(session: Any) -> Iterator[None]:
    session.cursor_factory = Opening
    try:
        yield
    finally:
        session.cursor_factory = Cursor


class Opening(Cursor):
    """As Django's are, but what it asks first brings its BEGIN along."""

    _first: str | None = None

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Self:
        if type(query) is not str or not _is_to_begin(self.connection):
            super().execute(query, params, **kwargs)
            return self
        # Another thread may be first: then the server finds this BEGIN superfluous, and goes on.
        self._first = f"BEGIN;{query}"
        super().execute(self._first, params, **kwargs)
        self.nextset()
        return self

    def _start_query(self, query: Any = None) -> Any:
        """Keep the driver, whose lock is held now, from beginning by itself and waiting for that.

        In a transaction it does not let this be taken back; but Django asks for it where a cursor
        is declared.
        """
        if query is None or query is not self._first:
            yield from super()._start_query(query)
            return
        session: Any = self.connection
        try:
            session._autocommit = True  # within, for the handler may be struck at any line
            yield from super()._start_query(query)
        finally:
            session._autocommit = False


def _can_begin_late(connection: BaseDatabaseWrapper, session: Any) -> bool:
    return (
        type(session) is psycopg.Connection
        and session.cursor_factory is Cursor
        and getattr(session, "_autocommit", None) is False
        and not connection.queries_logged
    )


def _is_to_begin(session: Any) -> bool:
    """Whether the driver would do so now, and asks for nothing else."""
    pgconn = session.pgconn
    return bool(
        pgconn.transaction_status == TransactionStatus.IDLE
        and not session.autocommit
        and pgconn.pipeline_status == PipelineStatus.OFF
        and (session.isolation_level, session.read_only, session.deferrable) == NOTHING_ELSE
    )
