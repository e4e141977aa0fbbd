"""How a session is made ready for its next user, and how one that is gone is told from others."""

import os
import select
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

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

HEARS_OF_DISCARD: Final = tuple(map(int, psycopg.__version__.split(".")[:3])) >= (3, 3, 5)
"""Whether the driver forgets what it had prepared; an older one asks for what is gone."""

# Not behind a pooler that shares sessions: what is set there would be others'. The driver knows
# the pid that it was told at the start, which is the pooler's invention.
FURNISH = """
SELECT set_config(name, value, false)
FROM unnest(%(names)s::text[], %(values)s::text[]) AS wanted (name, value)
WHERE pg_backend_pid() = %(pid)s
    AND (name <> 'client_connection_check_interval' OR version() LIKE '%%linux%%')
"""

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


def wipe(session: Any) -> bool:
    """Forget all that was set, made, locked or listened to; False if that failed."""
    if session.prepare_threshold is not None and not HEARS_OF_DISCARD:
        return False
    try:
        session.execute("DISCARD ALL")
    except psycopg.Error:
        return False
    return True


def is_alive(session: Any, *, has_rested: bool) -> bool:
    """Whether a session can be used; the server is asked only if there is reason to."""
    if session.closed:
        return False
    arrivals = select.poll()
    arrivals.register(session.fileno(), select.POLLIN)
    if not has_rested and not arrivals.poll(0):
        return True
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def furnish(session: Any, settings: Mapping[str, str]) -> bool:
    """Give a session settings of its own; False, and nothing is set, if it is lent by a pooler."""
    wanted = {**SERVER_SIDE, **settings}
    parameters = {
        "names": list(wanted),
        "values": list(wanted.values()),
        "pid": session.info.backend_pid,
    }
    with session.cursor() as cursor:
        cursor.execute(FURNISH, parameters)
        return bool(cursor.fetchall())


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
