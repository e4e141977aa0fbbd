"""What a command says, in one line, when settings or the database don't let it work."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import Error
from django.utils.connection import ConnectionDoesNotExist

from forge_jobs import db
from forge_jobs.exceptions import NotMigrated


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Turn such errors into a `CommandError`."""
    try:
        yield
    except (ImproperlyConfigured, ConnectionDoesNotExist) as error:
        raise CommandError(str(error)) from error
    except (Error, NotMigrated) as error:
        fault = error.__cause__ if isinstance(error, NotMigrated) else error
        reason = " ".join(str(fault).split()) or type(fault).__name__
        mend = " Run manage.py migrate." if _is_behind() else ""
        stop = "" if reason.endswith((".", "?")) else "."
        raise CommandError(f"The job database can't be used: {reason}{stop}{mend}") from error


def _is_behind() -> bool:
    """Whether migrations are missing, as far as the database can still tell."""
    from django.db.migrations.loader import MigrationLoader

    connection = db.connection()
    if connection.connection is None:
        return False  # it can't be reached, and to try again might take long
    try:
        loader = MigrationLoader(connection)
    except Error:
        return False
    newest = loader.graph.leaf_nodes("forge_jobs")
    return any(migration not in loader.applied_migrations for migration in newest)
