"""A job as Django's `TaskResult`: while it waits, while it runs, and after its end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from django.core.exceptions import ImproperlyConfigured

from forge_jobs import redaction
from forge_jobs.backend.api import (
    BaseTaskBackend,
    InvalidTask,
    Task,
    TaskResult,
    TaskResultStatus,
    task_backends,
)
from forge_jobs.backend.life import CANCELLED, STATUSES, Life
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers import secrecy
from forge_jobs.models import Job
from forge_jobs.states import State

if TYPE_CHECKING:
    from forge_jobs.backend.handler import TaskHandler

KEY: Final = "django.tasks"
"""In a job's context, under which the rest of the task is kept."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a job does not say of the task that it was made from."""

    backend: str
    queue_name: str
    positional: int = 0
    """How many of the arguments were given by their places."""
    run_after: str | None = None

    def as_context(self) -> dict[str, Any]:
        return {KEY: {name: value for name, value in asdict(self).items() if value}}

    @classmethod
    def of(cls, context: dict[str, Any], task: Task[..., Any]) -> Self:
        """From a job's context; jobs that were made otherwise, by a schedule say, have none."""
        told: dict[str, Any] = {"backend": task.backend, "queue_name": task.queue_name}
        if isinstance(given := context.get(KEY), dict):
            told |= given
        return cls(**told)


def of_job(handler: TaskHandler, job: Job) -> TaskResult[..., Any]:
    """From the row, with its process."""
    is_cancelled = job.state == State.CANCELLED
    life = Life(
        status=STATUSES.get(State(job.state), TaskResultStatus.READY),
        attempt=job.attempt,
        enqueued_at=job.enqueued_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        errors=job.errors,
        worker=job.process.name if job.process else job.process_name,
        result=job.result,
        cancelled=(job.cancel_reason or job.last_error or CANCELLED) if is_cancelled else None,
    )
    return _result(
        handler,
        life,
        pk=job.pk,
        payload=job.payload,
        priority=job.priority,
        told=Told.of(job.context, handler.task),
    )


def of_run(handler: TaskHandler, job: ClaimedJob, *, process_name: str) -> TaskResult[..., Any]:
    """While the job runs; its row is looked at only for the attempts before this one."""
    earlier = list(_errors(job)) if job.attempt > 1 else []
    life = Life(
        status=TaskResultStatus.RUNNING,
        attempt=job.attempt,
        enqueued_at=_moment(job.enqueued_at),
        started_at=job.started_at,
        finished_at=None,
        errors=earlier,
        worker=process_name,
    )
    return _of_claimed(handler, job, life)


def of_end(handler: TaskHandler, job: ClaimedJob, transition: Transition) -> TaskResult[..., Any]:
    """After the job's end, of which the row may know nothing: it may have been deleted at once."""
    errors = list(_errors(job)) if job.attempt > 1 else []
    if transition.error and (last := json.loads(transition.error)) not in errors[-1:]:
        errors.append(last)
    is_cancelled = transition.state is State.CANCELLED
    life = Life(
        status=STATUSES[transition.state],
        attempt=transition.attempt,
        enqueued_at=_moment(job.enqueued_at),
        started_at=job.started_at,
        finished_at=transition.finished_at,
        errors=errors,
        worker=transition.process_name,
        result=json.loads(transition.result or "null"),
        cancelled=(transition.last_error or CANCELLED) if is_cancelled else None,
    )
    return _of_claimed(handler, job, life)


def for_others(handler: TaskHandler, result: TaskResult[..., Any]) -> TaskResult[..., Any]:
    """One without a return value, as receivers of signals may see it."""
    if not (names := secrecy.names_of(handler.kind)):
        return result
    shown = redaction.hidden(handler.payload(result.args, result.kwargs), names)
    args, kwargs = handler.arguments(shown, positional=len(result.args))
    return replace(result, args=args, kwargs=kwargs)


def backend_of(handler: TaskHandler, context: dict[str, Any]) -> BaseTaskBackend:
    """The backend through which a job came in, or, if it is gone, the one of its task."""
    told = Told.of(context, handler.task)
    alias = told.backend if told.backend in task_backends.settings else handler.task.backend
    return task_backends[alias]


def _of_claimed(handler: TaskHandler, job: ClaimedJob, life: Life) -> TaskResult[..., Any]:
    return _result(
        handler,
        life,
        pk=job.id,
        payload=json.loads(job.payload),
        priority=job.priority,
        told=Told.of(json.loads(job.context), handler.task),
    )


def _result(
    handler: TaskHandler,
    life: Life,
    *,
    pk: int,
    payload: dict[str, Any],
    priority: int,
    told: Told,
) -> TaskResult[..., Any]:
    args, kwargs = handler.arguments(payload, positional=told.positional)
    result: TaskResult[..., Any] = TaskResult(
        task=_as_enqueued(handler.task, priority=priority, told=told),
        id=str(pk),
        status=life.status,
        enqueued_at=life.enqueued_at,
        started_at=life.first_started_at(),
        last_attempted_at=life.last_started_at(),
        finished_at=life.finished_at,
        args=args,
        kwargs=kwargs,
        backend=told.backend,
        errors=life.task_errors(),
        worker_ids=life.worker_ids(),
    )
    object.__setattr__(result, "_return_value", life.result)
    return result


def _as_enqueued(task: Task[..., Any], *, priority: int, told: Told) -> Task[..., Any]:
    """The task as it was enqueued; as it is declared, if settings do not allow that any more."""
    run_after = datetime.fromisoformat(told.run_after) if told.run_after else None
    try:
        return replace(
            task,
            priority=priority,
            backend=told.backend,
            queue_name=told.queue_name,
            run_after=run_after,
        )
    except (InvalidTask, ImproperlyConfigured):
        return task


def _errors(job: ClaimedJob) -> Sequence[dict[str, Any]]:
    stored: Sequence[dict[str, Any]] | None = (
        Job.objects.filter(pk=job.id).values_list("errors", flat=True).first()
    )
    return stored or []


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
