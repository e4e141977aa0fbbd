"""Says what to do where a job can't be stored because its table is not there, or not whole."""

from __future__ import annotations

from pkgutil import iter_modules

from django.db import DEFAULT_DB_ALIAS, DatabaseError

from forge_jobs import db, migrations
from forge_jobs.exceptions import NotMigrated


def refuse_unmigrated(error: DatabaseError) -> None:
    """Raise `NotMigrated` if that is why the database refused an insert."""
    if db.twin().lacks_columns(db.connection(), error):
        alias = db.connection().alias
        where = "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"
        raise NotMigrated(
            f"The database {alias!r} lacks tables or columns of forge_jobs, so that no job can be "
            f'stored yet. Where a migration enqueues, add ("forge_jobs", "{newest()}") to its '
            f"dependencies; else run manage.py migrate{where}."
        ) from error


def newest() -> str:
    """The name of our last migration."""
    names = (module.name for module in iter_modules(migrations.__path__))
    return max(name for name in names if name[0].isdigit())
