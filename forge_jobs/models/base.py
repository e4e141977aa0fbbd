"""What all tables share: they live in the database that `FORGE_JOBS["DATABASE"]` names."""

from typing import TypeVar

from django.db import models

from forge_jobs.conf import conf

M = TypeVar("M", bound=models.Model)


class JobsManager(models.Manager[M]):
    """Goes to the job database, unless told otherwise by `using()`."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().using(self._db or conf().database)
