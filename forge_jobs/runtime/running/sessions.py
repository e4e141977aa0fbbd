"""A clean connection for the next job, whatever the last one did with it."""

from threading import Lock, local
from typing import Any, Final
from weakref import WeakSet

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_thread = local()
_known: Final[WeakSet[BaseDatabaseWrapper]] = WeakSet()
_lock: Final = Lock()


def _remember(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    _thread.has_connected = True
    with _lock:
        _known.add(connection)


connection_created.connect(_remember, dispatch_uid="forge_jobs.runtime.running.sessions")


def count_open() -> int:
    """How many connections to databases all threads of this process have open."""
    with _lock:
        return sum(wrapper.connection is not None for wrapper in _known)


def known() -> list[BaseDatabaseWrapper]:
    """All that have ever been open; takes no lock, for the fork of a process can't wait for one."""
    return list(_known)


def tidy() -> None:
    """Close what is broken, too old, or left inside a transaction; Django's rules and one more."""
    if not getattr(_thread, "has_connected", False):
        return
    for connection in connections.all(initialized_only=True):
        connection.queries_log.clear()
        if connection.connection is None:
            continue
        if connection.in_atomic_block or not connection.autocommit:
            connection.close()
            del connections[connection.alias]
        else:
            connection.close_if_unusable_or_obsolete()
            if connection.vendor == "postgresql" and connection.connection is not None:
                _drop_if_moved(connection)


def _drop_if_moved(connection: BaseDatabaseWrapper) -> None:
    """Close a session that a handler moved to another time zone.

    The driver hears of each move from the server, so to look costs next to nothing.
    """
    session = connection.connection
    try:
        with connection.wrap_database_errors:
            zone = session.info.parameter_status("TimeZone")
    except Error:
        connection.close()
        return
    if zone != connection.timezone_name:
        session.close()  # or else a pool would hand it on
        connection.close()
