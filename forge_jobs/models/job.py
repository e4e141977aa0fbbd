"""A job: its columns, and what can be done to one."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.exceptions import JobFailed
from forge_jobs.models import joining
from forge_jobs.models.base import JobsModel, loaded
from forge_jobs.models.batch import Batch
from forge_jobs.models.gate import Gate
from forge_jobs.models.job_manager import JobManager
from forge_jobs.models.job_table import CONSTRAINTS, INDEXES
from forge_jobs.models.process import Process
from forge_jobs.models.schedule import Schedule
from forge_jobs.states import TERMINAL, State

if TYPE_CHECKING:
    from forge_jobs.db.rows import InsertedRow, NewRow


class Job(JobsModel):
    queue = models.CharField(_("queue"), max_length=100)
    kind = models.CharField(_("kind"), max_length=200)
    payload = models.JSONField(_("payload"))
    priority = models.SmallIntegerField(_("priority"), db_default=0)
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    run_at = models.DateTimeField(_("run at"))
    enqueued_at = models.DateTimeField(_("enqueued at"), db_default=Now())
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    attempt = models.IntegerField(_("attempt"), db_default=0)
    max_attempts = models.IntegerField(_("max attempts"), null=True)
    timeout_seconds = models.FloatField(_("timeout in seconds"), null=True)
    # No constraint in the database: checking it would cost every claim and finalize a look-up
    # and a lock on the process's row. Only a dead process's row goes, after its jobs.
    process = models.ForeignKey(
        Process,
        verbose_name=_("process"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="jobs",
    )
    dedupe_key = models.CharField(_("dedupe key"), max_length=200, null=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=200, null=True)
    concurrency_key = models.CharField(_("concurrency key"), max_length=200, null=True)
    concurrency_limit = models.PositiveSmallIntegerField(_("concurrency limit"), null=True)
    # Held by a job that is ready or running; numbered from 1, so that an index can see to it that
    # there are never more than the limit.
    concurrency_slot = models.PositiveSmallIntegerField(_("concurrency slot"), null=True)
    result = models.JSONField(_("result"), null=True)
    last_error = models.TextField(_("last error"), db_default="")
    errors = models.JSONField(_("errors"), db_default=models.Value([], models.JSONField()))
    context = models.JSONField(_("context"), db_default=models.Value({}, models.JSONField()))
    has_begun = models.BooleanField(
        _("has begun"),
        db_default=False,
        help_text=_("The handler was called in this attempt; not told of most first attempts."),
    )
    progress = models.JSONField(
        _("progress"), null=True, help_text=_("What the handler last told: done, total, message.")
    )
    cancel_requested_at = models.DateTimeField(_("cancel requested at"), null=True)
    cancel_reason = models.TextField(_("cancel reason"), db_default="")
    cancelled_by = models.CharField(_("cancelled by"), max_length=200, db_default="")
    is_to_be_killed = models.BooleanField(_("is to be killed"), db_default=False)
    process_name = models.CharField(
        _("process name"),
        max_length=200,
        null=True,
        help_text=_("The process that ran the job last, of a kind that keeps it."),
    )
    # No constraint here either: a schedule goes without a look at the jobs that it made.
    schedule = models.ForeignKey(
        Schedule,
        verbose_name=_("schedule"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="jobs",
    )

    batch = models.ForeignKey(
        Batch,
        verbose_name=_("batch"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="jobs",
    )
    gate = models.ForeignKey(
        Gate,
        verbose_name=_("gate"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="jobs",
        help_text=_("What the job comes after."),
    )

    expires_at = models.DateTimeField(
        _("expires at"), null=True, help_text=_("Not told any more once the job has begun.")
    )

    # Of jobs with one dedupe key, all but the first one: those before them had been claimed.
    dedupe_turn = models.IntegerField(_("dedupe turn"), null=True)

    was_deduplicated: bool = False
    """Set by `enqueue()`: this job was there already, under the key that was given."""
    was_replaced: bool = False
    """The same, and it was waiting: it is what was enqueued now."""
    was_postponed: bool = False
    """The same, and it was waiting: it runs when it was said now."""

    objects: ClassVar[JobManager] = JobManager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        permissions: ClassVar = [
            ("retry_job", _("Can retry jobs, and run them now")),
            ("cancel_job", _("Can cancel jobs")),
            ("kill_job", _("Can kill jobs")),
        ]
        indexes: ClassVar = INDEXES
        constraints: ClassVar = CONSTRAINTS

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def was_given_up(self) -> bool:
        """Whether it was cancelled because what it comes after did not end as it should."""
        return (
            self.state == State.CANCELLED
            and self.gate_id is not None
            and self.cancel_requested_at is None
            and self.started_at is None
        )

    def cancel(self, reason: str = "", *, by: str = "") -> bool:
        """Cancel this job if it waits, ask it to stop if it runs; False if it did neither.

        `by` is kept with the job: who asked.
        """
        return self._steered(Job.objects.filter(pk=self.pk).cancel(reason, by=by))

    def kill(self, reason: str = "", *, by: str = "") -> bool:
        """The same, but a handler that runs is ended by `JobKilled`, or its thread given up."""
        return self._steered(Job.objects.filter(pk=self.pk).kill(reason, by=by))

    def requeue(self, *, by: str = "") -> bool:
        """Let this finished job run again; False if it is unfinished, or its key is taken."""
        return self._steered(Job.objects.filter(pk=self.pk).requeue(by=by))

    def run_now(self, *, by: str = "") -> bool:
        """Let this job run that waits for its time; False if it does not wait."""
        return self._steered(Job.objects.filter(pk=self.pk).run_now(by=by))

    def join(self, timeout: timedelta | float | None = None) -> Any:
        """Wait for its end, and return its result.

        Raises `JobFailed` if it is dead or cancelled, `TimeoutError` after so many seconds, and
        `CantWait` in a handler, or in the transaction that may have enqueued it.
        """
        joining.join(self._look, what=f"job {self}", timeout=timeout)
        return self._as_joined()

    async def ajoin(self, timeout: timedelta | float | None = None) -> Any:
        await joining.ajoin(self._look, what=f"job {self}", timeout=timeout)
        return self._as_joined()

    def _look(self) -> bool | None:
        self.refresh_from_db(using=db.connection().alias)
        return self.state in TERMINAL or None

    def _as_joined(self) -> Any:
        if self.state != State.SUCCEEDED:
            raise JobFailed(self)
        return self.result

    def _steered(self, changed: int) -> bool:
        self.refresh_from_db(using=db.connection().alias)
        return bool(changed)

    @classmethod
    def from_rows(cls, row: NewRow, inserted: InsertedRow) -> Self:
        """The job that has just been inserted, without another query."""
        columns = _untold() | {
            "id": inserted.id,
            "queue": row.queue,
            "kind": row.kind,
            "payload": json.loads(row.payload),
            "priority": row.priority,
            "state": row.state,
            "run_at": row.run_at or inserted.enqueued_at,
            "enqueued_at": inserted.enqueued_at,
            "max_attempts": row.max_attempts,
            "timeout_seconds": row.timeout_seconds,
            "dedupe_key": row.dedupe_key,
            "idempotency_key": row.idempotency_key,
            "concurrency_key": row.concurrency_key,
            "concurrency_limit": row.concurrency_limit,
            "errors": [],
            "context": json.loads(row.context),
            "batch_id": row.batch_id,
            "gate_id": row.gate_id,
            "expires_at": row.expires_at,
        }
        return loaded(cls, columns, database=conf().database)


@cache
def _untold() -> dict[str, Any]:
    """What is in the columns of a new job of which nobody says anything, in their order."""
    return dict.fromkeys(field.attname for field in Job._meta.concrete_fields) | {
        "attempt": 0,
        "last_error": "",
        "has_begun": False,
        "cancel_reason": "",
        "cancelled_by": "",
        "is_to_be_killed": False,
    }
