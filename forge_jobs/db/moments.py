"""The present moment in a query, as its database keeps moments."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler


class PresentMoment(Now):
    """Django's `Now()`, whose three digits SQLite finds less than the same moment from Python."""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        from forge_jobs.db.sqlite.jobs import NOW

        return self.as_sql(compiler, connection, template=NOW.replace("%", "%%"), **extra)
