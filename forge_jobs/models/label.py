"""Words that jobs are found by, in a table that jobs without any never touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Exists, Func, OuterRef, TextField
from django.utils.translation import gettext_lazy as _

from forge_jobs.models.base import JobsManager, JobsModel

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler


class JobLabelManager(JobsManager["JobLabel"]):
    def put(self, labels: Iterable[tuple[int, Sequence[str]]]) -> None:
        """Label jobs, by their ids, that have no labels."""
        self.bulk_create(
            [JobLabel(job_id=job, label=label) for job, given in labels for label in given]
        )

    def of(self, jobs: Collection[int]) -> Mapping[int, Sequence[str]]:
        """The labels of each job that has any, as they were given, in one query."""
        found = defaultdict(list)
        rows = self.filter(job__in=jobs).order_by("id").values_list("job_id", "label")
        for job, label in rows if jobs else ():
            found[job].append(label)
        return found

    def prune(self, *, after: int, limit: int) -> tuple[int, int | None]:
        """Delete the labels of jobs that are gone, of so many rows after an id.

        Returns how many, and the last id that was looked at, None at the end of the table.
        """
        ahead = self.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
        ids = list(ahead[:limit])
        if not ids:
            return 0, None
        jobs = self.model._meta.get_field("job").related_model._default_manager
        looked_at = self.filter(pk__gt=after, pk__lte=ids[-1])
        orphans = looked_at.filter(~Exists(jobs.filter(pk=OuterRef("job_id"))))
        return orphans._raw_delete(self.db), ids[-1] if len(ids) == limit else None


class JobLabel(JobsModel):
    """A job may be gone before its labels, of which nobody sees anything then."""

    # No constraint: to delete a job would cost a look at this table, whether it has labels or not.
    job = models.ForeignKey(
        "forge_jobs.Job",
        verbose_name=_("job"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="labels",
    )
    label = models.CharField(_("label"), max_length=100)

    objects: ClassVar[JobLabelManager] = JobLabelManager()

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        default_permissions = ()
        indexes: ClassVar = [
            models.Index("label", "job", name="forge_jobs_labelled"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint("job", "label", name="forge_jobs_label"),
        ]

    def __str__(self) -> str:
        return self.label


class LabelsOf(Func):
    """The labels of a job, by its key, as a column beside its others: a JSON text, or NULL."""

    output_field = TextField()
    template = """(
        SELECT json_agg(label ORDER BY id)::text FROM forge_jobs_joblabel
        WHERE job_id = %(expressions)s
    )"""
    sqlite_template = """(
        SELECT json_group_array(label)
        FROM (
            SELECT label FROM forge_jobs_joblabel WHERE job_id = %(expressions)s ORDER BY id
        )
    )"""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **options: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template=self.sqlite_template, **options)
