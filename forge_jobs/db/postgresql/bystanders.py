"""Sessions as Django makes them, and whether somebody has put something before or behind them."""

from typing import Any, Final

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import Cursor, DatabaseWrapper, ServerBindingCursor
from psycopg.pq import PipelineStatus

from forge_jobs.db.postgresql.opening import Opening

PLAIN_SESSIONS: Final = (psycopg.Connection,)
PLAIN_CURSORS: Final = (Cursor, ServerBindingCursor, Opening)


def session_of(connection: BaseDatabaseWrapper) -> Any:
    """As a cursor would get it: connected if need be, and in health if that is asked for."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection.connection


def nobody_stands_between(connection: BaseDatabaseWrapper) -> bool:
    """Whether nothing is tied to the cursors that a session makes, or that Django does."""
    session = connection.connection
    return (
        type(session) in PLAIN_SESSIONS
        and not session.closed  # what is wrong with that Django says in its own words
        and "cursor" not in vars(connection)
        and not connection.queries_logged
        and not connection.execute_wrappers
        and type(connection) is DatabaseWrapper
        and session.cursor_factory in PLAIN_CURSORS
        and session.pgconn.pipeline_status == PipelineStatus.OFF
        and session.pgconn.parameter_status(b"client_encoding") == b"UTF8"
    )
