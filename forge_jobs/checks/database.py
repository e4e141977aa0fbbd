"""Checks of the database that is to hold the jobs."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs.conf import conf

SQLITE_MINIMUM = (3, 35)

SQLITE_OPTIONS = """"OPTIONS": {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}"""


@register(Tags.database)
def check_database(
    app_configs: Sequence[AppConfig] | None, databases: Iterable[str] | None, **kwargs: Any
) -> list[CheckMessage]:
    try:
        alias = conf().database
    except ImproperlyConfigured:
        return []
    if alias not in (databases or ()) or alias not in connections:
        return []
    connection = connections[alias]
    match connection.vendor:
        case "postgresql":
            return []
        case "sqlite":
            return _sqlite(connection)
        case vendor:
            return [
                Error(
                    f"The database {alias!r} is {vendor}; forge_jobs keeps jobs in PostgreSQL or "
                    f"SQLite.",
                    hint='Name another with FORGE_JOBS["DATABASE"].',
                    id="forge_jobs.E005",
                )
            ]


def _sqlite(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    if sqlite3.sqlite_version_info < SQLITE_MINIMUM:
        return [
            Error(
                f"SQLite {sqlite3.sqlite_version} is too old; forge_jobs needs 3.35 or newer.",
                id="forge_jobs.E006",
            )
        ]
    found: list[CheckMessage] = []
    if connection.settings_dict.get("TIME_ZONE"):
        found.append(
            Error(
                f"The SQLite database {connection.alias!r} has a TIME_ZONE of its own; forge_jobs "
                f"writes its moments in UTC.",
                hint="Remove TIME_ZONE from that database.",
                id="forge_jobs.E009",
            )
        )
    hint = f"In DATABASES, give {connection.alias!r} these:\n{SQLITE_OPTIONS}"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        (mode,) = cursor.fetchone()
    if mode not in ("wal", "memory"):
        found.append(
            checks.Warning(
                f"The SQLite database {connection.alias!r} is in journal mode {mode!r}, in which "
                f"readers and writers block each other.",
                hint=hint,
                id="forge_jobs.W001",
            )
        )
    options = connection.settings_dict.get("OPTIONS", {})
    if str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        found.append(
            checks.Warning(
                f"Transactions of the SQLite database {connection.alias!r} are deferred: one that "
                f"reads first fails with 'database is locked' if another writes meanwhile.",
                hint=hint,
                id="forge_jobs.W002",
            )
        )
    return found
