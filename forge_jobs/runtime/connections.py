"""A clean connection for the next job, whatever the last one did with it."""

from django.db import connections


def tidy() -> None:
    """Close what is broken, too old, or left inside a transaction; Django's rules and one more."""
    for connection in connections.all(initialized_only=True):
        connection.queries_log.clear()
        if connection.connection is None:
            continue
        if connection.in_atomic_block or not connection.autocommit:
            connection.close()
            del connections[connection.alias]
        else:
            connection.close_if_unusable_or_obsolete()
