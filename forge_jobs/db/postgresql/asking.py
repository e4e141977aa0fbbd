"""Statements asked without a cursor of Django's or the driver's own, by those who ask often.

To make those, and to have them write a statement and read its answer, takes longer than all else
that a new job needs here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Self

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.asyncio import async_unsafe
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ConnStatus, Escaping, TransactionStatus
from psycopg.pq.abc import PGresult

from forge_jobs.db.postgresql.bystanders import nobody_stands_between, session_of
from forge_jobs.db.postgresql.pipeline import DONE, lost

IDLE: Final = TransactionStatus.IDLE
INTRANS: Final = TransactionStatus.INTRANS


def asked(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]
) -> PGresult | None:
    """The answer to a statement that gives rows; None where a cursor is to ask.

    Whoever looks on at Django's cursors sees it as any other, and what they raise is raised.
    """
    return _asked(_Asking, connection, statement, values)


def asked_at_once(
    connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]
) -> PGresult | None:
    """The same where no signal, and no exception from another thread, is to be heeded meanwhile."""
    return _asked(_AskingAtOnce, connection, statement, values)


@async_unsafe
def _asked(
    how: type["_Asking"], connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]
) -> PGresult | None:
    session = connection.connection if connection.in_atomic_block else session_of(connection)
    if session is None or not nobody_stands_between(connection):
        return None
    opening, literals = _opening(session), _literals(session, values)
    if opening is None or literals is None:
        return None
    connection.validate_thread_sharing()
    cursor = how(session, statement, opening + statement % literals)
    connection.make_cursor(cursor).execute(statement, values)  # type: ignore[arg-type] # in stubs
    return cursor.answer


def _opening(session: Any) -> str | None:
    """What the driver would ask before it, here in the same message; None if only it knows."""
    status = session.pgconn.transaction_status
    if status == (IDLE if session.autocommit else INTRANS):
        return ""
    asked_for = (session.isolation_level, session.read_only, session.deferrable)
    return "BEGIN;" if status == IDLE and asked_for == (None, None, None) else None


def _literals(session: Any, values: Sequence[Any]) -> tuple[str, ...] | None:
    """None if there is one that the driver knows better."""
    written = []
    for value in values:
        kind = type(value)
        if value is None:
            written.append("NULL")
        elif kind is str and "\0" not in value:
            written.append(_quoted(session, value))
        elif kind is int or kind is float:
            written.append(repr(value))
        elif kind is datetime:
            written.append(f"'{value.isoformat()}'")
        else:
            return None
    return tuple(written)


def _quoted(session: Any, text: str) -> str:
    if "'" in text or "\\" in text:
        return Escaping(session.pgconn).escape_literal(text.encode()).decode()
    return f"'{text}'"


class _Asking(psycopg.ClientCursor[Any]):
    """What Django and others take for the cursor that asks.

    `text` is the statement as it is sent, unless somebody makes another one of it on its way.
    """

    answer: PGresult | None

    def __init__(self, session: Any, statement: str, text: str) -> None:
        super().__init__(session)
        self._statement = statement
        self._text = text

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
        if query != self._statement:
            super().execute(query, *args, **kwargs)
            self.answer = self.pgresult
            return self
        with self.connection.lock:
            answers = self._answers(self.connection, self._text.encode())
        for self.answer in answers:
            if self.answer.status not in DONE:
                raise error_from_result(self.answer)
        return self

    def _answers(self, session: Any, text: bytes) -> Sequence[PGresult]:
        session.pgconn.send_query(text)
        answers: Sequence[PGresult] = session.wait(execute(session.pgconn))
        return answers


class _AskingAtOnce(_Asking):
    """Lets go of the interpreter's lock once, where the driver does so five times a statement."""

    def _answers(self, session: Any, text: bytes) -> Sequence[PGresult]:
        pgconn = session.pgconn
        answer: PGresult = pgconn.exec_(text)
        if answer.status not in DONE and pgconn.status != ConnStatus.OK:
            raise lost(pgconn, answer)
        return [answer]
