"""What keeps a PostgreSQL database from holding jobs."""

from collections.abc import Iterator
from typing import Final

from django.core.checks import CheckMessage, Error
from django.db.backends.base.base import BaseDatabaseWrapper

SESSION: Final = """
SELECT
    current_setting('server_encoding'), current_setting('transaction_read_only') = 'on',
    pg_is_in_recovery()
"""


def faults(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(SESSION)
        encoding, is_read_only, is_standby = cursor.fetchone()
    if encoding != "UTF8":  # that of sessions is always UTF8: Django says so
        yield _encoded(connection.alias, encoding)
    if is_read_only:
        yield _read_only(connection.alias, is_standby)


def _encoded(alias: str, encoding: str) -> CheckMessage:
    return Error(
        f"The database {alias!r} has the encoding {encoding}; there are texts that it can't store, "
        f"and jobs whose outcomes hold them would fail after they have run.",
        hint="Move to a database made with ENCODING 'UTF8' TEMPLATE template0, or keep the jobs in "
        'another one: FORGE_JOBS["DATABASE"].',
        id="forge_jobs.E015",
    )


def _read_only(alias: str, is_standby: bool) -> CheckMessage:
    if is_standby:
        why, hint = "is a standby", 'Name the primary with FORGE_JOBS["DATABASE"].'
    else:
        why = "has sessions with default_transaction_read_only"
        hint = "Turn it off in OPTIONS, for the role and for the database."
    return Error(
        f"The database {alias!r} {why}: nothing can be written there.",
        hint=hint,
        id="forge_jobs.E016",
    )
