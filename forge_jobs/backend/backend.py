"""Django's `TASKS`, carried by jobs: what is enqueued there is a job like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from forge_jobs import clock
from forge_jobs.backend import endings
from forge_jobs.backend.api import (
    BaseTaskBackend,
    InvalidTask,
    Task,
    TaskResult,
    TaskResultDoesNotExist,
    task_enqueued,
)
from forge_jobs.backend.options import NAMES, Options
from forge_jobs.backend.task import JobTask
from forge_jobs.conf import conf
from forge_jobs.handlers.handler import JobOptions

if TYPE_CHECKING:
    from forge_jobs.backend.handler import TaskHandler

MOST_DIGITS: Final = 19
"""Of a primary key."""


class ForgeJobsBackend(BaseTaskBackend):
    """A task is enqueued in the caller's transaction, and runs once unless it says otherwise.

    `OPTIONS`, all of them optional:

    - `queues`: which queue of `FORGE_JOBS["QUEUES"]` serves which name of `QUEUES`, where they
      are not the same;
    - `max_attempts`, `timeout`: of tasks that do not say it themselves;
    - `database`: must be that of `FORGE_JOBS["DATABASE"]`, in which all jobs are kept.

    Made while modules of tasks are imported, before there are models.
    """

    task_class = JobTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    own_options: ClassVar[frozenset[str]] = NAMES

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        self._given = Options.of(alias, params)
        super().__init__(alias, params)
        endings.watch()

    def validate_task(self, task: Task[..., Any]) -> None:
        """Raises `InvalidTask`; one that is valid is known from now on, in this process."""
        priority: Any = task.priority
        if not isinstance(priority, int | float) or priority != priority:
            raise InvalidTask(f"priority must be a whole number, not {priority!r}.")
        run_after: Any = task.run_after
        is_duration = isinstance(run_after, timedelta)
        if not (run_after is None or is_duration or isinstance(run_after, datetime)):
            raise InvalidTask(f"run_after must be a datetime or a timedelta, not {run_after!r}.")
        super().validate_task(
            SimpleNamespace(  # type: ignore[arg-type]  # Django asks a duration for its time zone
                func=task.func,
                priority=task.priority,
                queue_name=task.queue_name,
                run_after=None if is_duration else run_after,
                takes_context=task.takes_context,
            )
        )
        self.known(task)

    def enqueue(  # type: ignore[override]  # of whatever task
        self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> TaskResult[..., Any]:
        """Store a job for the task; raises `InvalidTask`, or an `EnqueueError` that says why."""
        from forge_jobs.backend import results
        from forge_jobs.enqueueing.enqueue import enqueue

        self.validate_task(task)
        handler = self.known(task)
        payload = handler.payload(args, kwargs)
        run_at = _moment(task.run_after)
        told = results.Told(
            backend=self.alias,
            queue_name=task.queue_name,
            positional=len(args),
            run_after=run_at.isoformat() if run_at else None,
        )
        options = self._options_of(task)
        options["run_at"] = run_at
        options["context"] = told.as_context()
        job = enqueue(handler, payload, **options)
        result = results.of_job(handler, job)
        if job.was_deduplicated:
            return result
        if not isinstance(task.run_after, timedelta):
            result = replace(result, task=task)
        task_enqueued.send_robust(type(self), task_result=results.for_others(handler, result))
        return result

    def get_result(self, result_id: str) -> TaskResult[..., Any]:
        """Raises `TaskResultDoesNotExist` for what was pruned, or is no job of a task."""
        from forge_jobs.backend import results
        from forge_jobs.backend.discovery import find
        from forge_jobs.models import Job

        text = str(result_id)
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            raise TaskResultDoesNotExist(result_id)
        job = Job.objects.select_related("process").filter(pk=int(text)).first()
        if job is None or (handler := find(job.kind)) is None:
            raise TaskResultDoesNotExist(result_id)
        return results.of_job(handler, job)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        where = f"TASKS[{self.alias!r}]"
        if not apps.is_installed("forge_jobs"):
            return [
                Error(
                    f"{where} is carried by forge_jobs, which is not installed.",
                    hint='Add "forge_jobs" to INSTALLED_APPS.',
                    id="forge_jobs.E018",
                )
            ]
        try:
            declared = conf()
        except ImproperlyConfigured:  # another check tells
            return []
        known = ", ".join(sorted(self.own_options))
        faults = [
            f"has the option {name!r}, which there is not: there are {known}"
            for name in sorted(self.options.keys() - self.own_options)
        ]
        if self.options.get("database", declared.database) != declared.database:
            faults.append(
                f"names the database {self.options['database']!r}, but jobs are kept in "
                f'{declared.database!r}, as FORGE_JOBS["DATABASE"] says'
            )
        faults += [
            f"has the queue {name!r}, whose jobs would go to {queue!r}, which is not declared in "
            f'FORGE_JOBS["QUEUES"]'
            for name in sorted(self.queues)
            if (queue := self._queue(name)) not in declared.queues
        ]
        return [Error(f"{where} {fault}.", id="forge_jobs.E018") for fault in faults]

    def known(self, task: Task[..., Any]) -> TaskHandler:
        """The handler that runs a task's jobs, registered if it is new; raises `InvalidTask`."""
        from forge_jobs.backend.handler import handler_of

        return handler_of(
            task,
            queue=self._queue(task.queue_name),
            max_attempts=self._given.max_attempts,
            timeout=self._given.timeout,
        )

    def _queue(self, name: str) -> str:
        return self._given.queues.get(name, name)

    def _options_of(self, task: Task[..., Any]) -> JobOptions:
        options: JobOptions = {
            "queue": self._queue(task.queue_name),
            "priority": int(task.priority),
            "max_attempts": self._given.max_attempts,
            "timeout": self._given.timeout,
        }
        if isinstance(task, JobTask):
            options["max_attempts"] = task.attempts(otherwise=self._given.max_attempts)
            if task.timeout is not None:
                options["timeout"] = task.timeout
            if isinstance(task.concurrency_key, str):
                options["concurrency_key"] = task.concurrency_key
            options["dedupe_key"] = task.dedupe_key
            options["idempotency_key"] = task.idempotency_key
            options["on_duplicate"] = task.on_duplicate
            options["labels"] = task.labels
            options["expires_at"] = task.expires_at
            if task.expires_at is None:
                options["expires_in"] = task.expires_in
        return options


def _moment(run_after: datetime | timedelta | None) -> datetime | None:
    """As an aware moment; a naive one is of the project's time zone, where it may be naive."""
    if isinstance(run_after, timedelta):
        return clock.now() + run_after
    if run_after is not None and not settings.USE_TZ and timezone.is_naive(run_after):
        return timezone.make_aware(run_after)
    return run_after
