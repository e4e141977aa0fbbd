"""What every session with the job database is told before it is used."""

from contextlib import suppress
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from forge_jobs.conf import conf


def _tell(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor != "postgresql":
        return
    with suppress(ImproperlyConfigured):  # of which a system check tells
        if connection.alias == conf().database:
            from forge_jobs.db.postgresql.moments import read_any_moment

            read_any_moment(connection.connection)


connection_created.connect(_tell, dispatch_uid="forge_jobs.db.reading")
