"""Checks of the database that is to hold the jobs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs.conf import conf
from forge_jobs.models import Job

Databases = Iterable[str] | None


def check_database(
    app_configs: Sequence[AppConfig] | None, databases: Databases, **kwargs: Any
) -> list[CheckMessage]:
    connection = _job_connection(databases)
    if connection is None:
        return []
    if not connection.settings_dict["AUTOCOMMIT"]:
        return [_without_autocommit(connection)]  # a question would leave a transaction open
    match connection.vendor:
        case "postgresql":
            from forge_jobs.checks import postgresql

            found = postgresql.faults(connection)
        case "sqlite":
            from forge_jobs.checks import sqlite

            found = sqlite.faults(connection)
        case _:
            found = _unsupported(connection)
    return [*found, *_kept_out(connection)]


def check_wal_reset_fault(
    app_configs: Sequence[AppConfig] | None, databases: Databases, **kwargs: Any
) -> list[CheckMessage]:
    connection = _job_connection(databases)
    if connection is None or connection.vendor != "sqlite":
        return []
    from forge_jobs.checks import sqlite

    return list(sqlite.wal_reset_fault(connection))


def _job_connection(databases: Databases) -> BaseDatabaseWrapper | None:
    """None if it is not to be looked at, or settings name none that exists."""
    try:
        alias = conf().database
    except ImproperlyConfigured:
        return None
    return connections[alias] if alias in (databases or ()) and alias in connections else None


def _without_autocommit(connection: BaseDatabaseWrapper) -> Error:
    return Error(
        f"The database {connection.alias!r} has AUTOCOMMIT = False: what forge_jobs writes outside "
        f"of a transaction would never be committed.",
        hint='Remove "AUTOCOMMIT" from that database, or keep the jobs in another one: '
        'FORGE_JOBS["DATABASE"].',
        id="forge_jobs.E014",
    )


def _unsupported(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    yield Error(
        f"The database {connection.alias!r} is {connection.vendor}; forge_jobs keeps jobs in "
        f"PostgreSQL or SQLite.",
        hint='Name another with FORGE_JOBS["DATABASE"].',
        id="forge_jobs.E005",
    )


def _kept_out(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    if not router.allow_migrate_model(connection.alias, Job):
        yield checks.Warning(
            f"A database router keeps the tables of forge_jobs out of {connection.alias!r}, where "
            f"the jobs are to be: migrate does not create them.",
            hint='Let its allow_migrate() return True or None for the app "forge_jobs" there.',
            id="forge_jobs.W006",
        )
