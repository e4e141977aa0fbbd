"""What all tables share: where they live, and how their queries reach partial indexes."""

from collections.abc import Iterable
from typing import TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from forge_jobs.conf import conf

M = TypeVar("M", bound=models.Model)


class JobsManager(models.Manager[M]):
    """Goes to the job database, unless told otherwise by `using()`."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().using(self._db or conf().database)


class Constant(models.Value):
    """A text that stands in the SQL itself: SQLite takes no partial index on a parameter's word."""

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        return "'{}'".format(str(self.value).replace("'", "''")), ()


def constants(values: Iterable[str]) -> list[Constant]:
    return [Constant(value) for value in values]
