"""How a session is made ready for its next user, and how one that is gone is told from others."""

import os
import select
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg import sql
from psycopg.pq import ExecStatus, TransactionStatus

from forge_jobs.db.postgresql import prepared

LIVELY: Final = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""A server that vanished is missed after about fifteen seconds."""

VARIABLES: Final = {"connect_timeout": "PGCONNECT_TIMEOUT", "application_name": "PGAPPNAME"}
"""By which the environment says the same."""

SERVER_SIDE: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
    "client_connection_check_interval": "10s",
}
"""And so is this process by the server, which then drops its locks."""

LIMITS: Final = {
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "10s",
    "enable_seqscan": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "plan_cache_mode": "force_generic_plan",
}
"""Of our own threads' sessions: their locks must not outlive a host that has vanished, and others'
are waited for in such a way that it can be told of. To count millions takes one processor, for the
others are the jobs'.

An index that was large once is dear to the planner even if it is empty: for each claim it would
rather read the whole table. What it is not to do it does where there is no other way, but takes it
to be so dear that it would compile the statement."""

CLAIM_LIMITS: Final = LIMITS
"""Of the session that claims."""

HEARS_OF_DISCARD: Final = tuple(map(int, psycopg.__version__.split(".")[:3])) >= (3, 3, 5)
"""Whether the driver forgets what it had prepared; an older one asks for what is gone."""

# Not behind a pooler that shares sessions: what is set there would be others'. The driver knows
# the pid that it was told at the start, which is the pooler's invention.
FURNISH = """
SELECT name, set_config(name, value, false)
FROM unnest(%(names)s::text[], %(values)s::text[]) AS wanted (name, value)
WHERE pg_backend_pid() = %(pid)s
    AND (name <> 'client_connection_check_interval' OR version() LIKE '%%linux%%')
"""

# As DISCARD ALL does, which would forget plans as well, and allows nothing beside it.
FORGET: Final = """
CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *;
DISCARD TEMP; DISCARD SEQUENCES; SELECT pg_advisory_unlock_all()"""
LONGEST_LOOK: Final = 1.0

READ_ONLY: Final = "25006"
LOST: Final = ("08", "57P01", "57P02", "57P03")
"""Connection failures, and what a server says that stops, crashed, or is not up yet."""

# A transaction that somebody made read-only is over by now, and left no trace.
IS_READ_ONLY = """
SELECT pg_is_in_recovery() OR setting = 'on' AND source <> 'session'
FROM pg_settings WHERE name = 'default_transaction_read_only'
"""


def parameters(process_name: str) -> dict[str, object]:
    """Of libpq, for all connections of a process; those are left out that its environment has."""
    wanted = {**LIVELY, "application_name": f"forge_jobs {process_name}"}
    return {
        name: value for name, value in wanted.items() if VARIABLES.get(name, "") not in os.environ
    }


def traits(session: Any) -> tuple[object, ...] | None:
    """What `wipe` leaves as it is; None if the session is in the middle of something."""
    if session.closed or session.info.transaction_status != TransactionStatus.IDLE:
        return None
    return (
        session.autocommit,
        session.isolation_level,
        session.read_only,
        session.deferrable,
        session.row_factory,
        session.cursor_factory,
        session.server_cursor_factory,
        session.prepare_threshold,
        session.prepared_max,
    )


def furnish(session: Any, settings: Mapping[str, str]) -> Mapping[str, str]:
    """Give a session settings of its own; returns those that it took.

    It takes none if it is lent by a pooler, and then not those that the server lacks; nor, where
    the driver sends parameters beside each statement, a plan that goes by none of them.
    """
    wanted = {**SERVER_SIDE, **settings}
    if session.cursor_factory is ServerBindingCursor:
        wanted.pop("plan_cache_mode", None)
    parameters = {
        "names": list(wanted),
        "values": list(wanted.values()),
        "pid": session.info.backend_pid,
    }
    with session.cursor() as cursor:
        cursor.execute(FURNISH, parameters)
        furnished = {name: wanted[name] for name, _ in cursor.fetchall()}
    if furnished:
        prepared.allow(session)
    return furnished


def way_back(session: Any, settings: Mapping[str, str]) -> bytes:
    """What `wipe` is to ask of the server for a session that was furnished with these."""
    again = sql.SQL(", set_config({}, {}, false)")
    furnished = [again.format(*map(sql.Literal, setting)) for setting in settings.items()]
    return sql.Composed([sql.SQL(FORGET), *furnished]).as_bytes(session)


def wipe(session: Any, back: bytes) -> bool:
    """Have all forgotten that was set, made, locked or listened to; False if that failed.

    Nobody waits for the server, which does so while this process goes on: `is_alive()` does.
    """
    prepared.forget(session)
    try:
        if session.prepare_threshold is not None:
            return _wipe_with_what_is_prepared(session, back)
        session.pgconn.send_query(back)
        session.pgconn.flush()
    except psycopg.Error:
        return False
    return True


def _wipe_with_what_is_prepared(session: Any, back: bytes) -> bool:
    """Through the driver, which has to hear of it."""
    if not HEARS_OF_DISCARD:
        return False
    session.execute("DISCARD ALL")
    return _is_done(session.pgconn.exec_(back))


def is_alive(session: Any, *, has_rested: bool) -> bool:
    """Whether a session can be used; the server is asked only if there is reason to."""
    if session.closed or not _is_wiped(session):
        return False
    arrivals = _arrivals(session)
    if not has_rested and not arrivals.poll(0):
        return True
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _is_wiped(session: Any) -> bool:
    """Hear what the server says to the last `wipe()`, if that is still to come."""
    connection, done = session.pgconn, True
    arrivals = _arrivals(session)
    try:
        while connection.transaction_status == TransactionStatus.ACTIVE:
            while connection.is_busy():
                arrivals.poll(LONGEST_LOOK * 1_000)
                connection.flush()
                connection.consume_input()
            if result := connection.get_result():
                done = done and _is_done(result)
    except psycopg.Error:
        return False
    return done


def _arrivals(session: Any) -> select.poll:
    """By which to wait for what the server says."""
    arrivals = select.poll()
    arrivals.register(session.fileno(), select.POLLIN)
    return arrivals


def _is_done(result: Any) -> bool:
    return result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


def ignore_notifications(session: Any) -> None:
    """Drop those that nobody here asked for; the driver would keep them for ever."""
    session.add_notify_handler(_ignore)


def _ignore(notification: object) -> None:
    pass


def is_cut_off(sqlstate: str | None) -> bool:
    """Whether a session ended, or can write no more, by no doing of its user.

    One that lay idle for too long, or whose statement took too long, is not meant.
    """
    return sqlstate is None or sqlstate == READ_ONLY or sqlstate.startswith(LOST)


def refuses_writes(cursor: Any) -> bool:
    """Whether it is the server that lets nobody write, not whoever uses the session."""
    cursor.execute(IS_READ_ONLY)
    return bool(cursor.fetchone()[0])
