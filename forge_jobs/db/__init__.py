"""Twin statements for PostgreSQL and SQLite; `twin()` picks by the database's vendor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import NotSupportedError

from forge_jobs.conf import conf

if TYPE_CHECKING:
    from forge_jobs.db.twins import Twin

R = TypeVar("R")

LOCKED_DELAYS: Final = (0.1, 0.3, 1.0)
"""Seconds between attempts at a locked database; then the error is raised."""

READ_COMMITTED: Final = """
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET LOCAL idle_in_transaction_session_timeout = '10s';
SET LOCAL lock_timeout = '10s'
"""

ONE_MOMENT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def connection() -> BaseDatabaseWrapper:
    """This thread's connection to the database that holds the jobs."""
    return connections[conf().database]


def twin() -> Twin:
    """The module of statements that the job database understands."""
    return twin_of(connection().vendor)


def twin_of(vendor: str) -> Twin:
    """The module of statements for a vendor's databases; raises `NotSupportedError` if none is."""
    if vendor == "postgresql":
        from forge_jobs.db import postgresql

        return postgresql
    if vendor == "sqlite":
        from forge_jobs.db import sqlite

        return sqlite
    raise NotSupportedError(f"forge_jobs keeps jobs in PostgreSQL or SQLite, not {vendor}.")


def few_or_many(few: Callable[..., R | None], many: Callable[..., R], **what: Any) -> R:
    """Ask a pair of twins: what is for a few, on a connection, or what is for any, by a cursor."""
    answer = few(connection(), **what)
    if answer is None:
        with connection().cursor() as cursor:
            answer = many(cursor, **what)
    return answer


@contextmanager
def read_committed() -> Iterator[None]:
    """A transaction whose statements see what others committed before, whatever is the default.

    Its locks are lost by a process that does not go on with it, which may have vanished, and
    others' are not waited for any longer.
    """
    with transaction.atomic(using=connection().alias):
        if connection().vendor == "postgresql":
            with connection().cursor() as cursor:
                cursor.execute(READ_COMMITTED)
        yield


@contextmanager
def snapshot() -> Iterator[None]:
    """All that is read inside is of one moment, and nobody is kept from writing.

    Within somebody else's transaction it is as that one sees things.
    """
    database: Any = connection()
    if database.in_atomic_block:
        yield
        return
    mode, database.transaction_mode = getattr(database, "transaction_mode", None), None
    try:
        with transaction.atomic(using=database.alias):
            database.transaction_mode = mode
            if database.vendor == "postgresql":
                with database.cursor() as cursor:
                    cursor.execute(ONE_MOMENT)
            yield
    finally:
        database.transaction_mode = mode


@contextmanager
def turn_to_write() -> Iterator[None]:
    """A transaction that has its turn to write from the start: it may decide by what it reads."""
    with transaction.atomic(using=connection().alias):
        take_turn_to_write()
        yield


def take_turn_to_write() -> None:
    """Where a database has one writer at a time, be it from now on, in a transaction.

    On SQLite, one that has read may not write any more once somebody else has.
    """
    if connection().vendor == "sqlite":
        with connection().cursor() as cursor:
            cursor.execute("DELETE FROM forge_jobs_job WHERE id IS NULL")


def unless_locked(statement: Callable[[], R]) -> R:
    """Run a statement, or a transaction; try again when somebody else was writing.

    In the middle of a transaction there is no trying again: the error is raised at once.
    """
    for delay in LOCKED_DELAYS:
        try:
            return statement()
        except OperationalError as error:
            if connection().in_atomic_block or not twin().is_locked(error):
                raise
        time.sleep(delay)
    return statement()
