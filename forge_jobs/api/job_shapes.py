"""What is told of jobs: a line in a list, and all of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from pydantic import Field

from forge_jobs.api.shapes import Document, Id, StateName
from forge_jobs.dashboard.diagnosis import Diagnosis, diagnose
from forge_jobs.dashboard.documents import parsed, texts_of, value_of, with_texts
from forge_jobs.dashboard.errors import read_errors
from forge_jobs.dashboard.facts import read_facts
from forge_jobs.dashboard.job_line import Progress, run_time
from forge_jobs.dashboard.kin import Kin, Link, comes_after, comes_before
from forge_jobs.dashboard.steps import stored_steps
from forge_jobs.dashboard.timeline import timeline
from forge_jobs.models import Job, Process
from forge_jobs.models.label import LabelsOf

LONGEST_ERROR: Final = 10_000
VALUES: Final = ("payload", "result", "context")


class ProgressLine(Document):
    """As its handler says; `percent` is null if it knows no end."""

    percent: int | None
    message: str


class JobLine(Document):
    id: Id
    kind: str = Field(examples=["shop.send_receipt"])
    queue: str = Field(examples=["default"])
    state: StateName
    priority: int
    attempt: int
    max_attempts: int | None
    enqueued_at: datetime
    run_at: datetime
    expires_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    dedupe_key: str | None
    idempotency_key: str | None
    concurrency_key: str | None
    batch: Id | None
    schedule: Id | None
    labels: list[str]
    progress: ProgressLine | None
    last_error: str


class JobPageDocument(Document):
    """`next` and `previous` are the values of `after` and `before` for the pages beside this one.

    A page may have few jobs, or none, and still a next one: a request looks through so many only.
    """

    jobs: list[JobLine]
    next: str | None
    previous: str | None


class ErrorLine(Document):
    at: datetime
    attempt: int | None
    message: str
    traceback: str


class StepLine(Document):
    name: str
    role: str
    at: datetime
    value: str = Field(description="In short, as JSON.")


class LinkLine(Document):
    """A job or a batch; `needs` is how the former of the two must end."""

    job: Id | None
    batch: Id | None
    state: str | None
    needs: str


class Links(Document):
    some: list[LinkLine]
    has_more: bool


class JobDocument(JobLine):
    """Values that nobody should read are `•••`."""

    payload: Any
    result: Any
    context: Any
    timeout_seconds: float | None
    took_seconds: float | None
    process: str | None
    cancel_requested_at: datetime | None
    cancel_reason: str
    cancelled_by: str
    is_to_be_killed: bool
    errors: list[ErrorLine]


class WhyDocument(Document):
    """`why` says what keeps a job, if anything does; `after` and `before` are its kin."""

    why: str | None = Field(examples=["Queue mail is paused."])
    after: Links
    before: Links


class TimelineMoment(Document):
    at: datetime
    title: str
    detail: str
    is_to_come: bool


class Timeline(Document):
    moments: list[TimelineMoment]
    steps: list[StepLine]


def line(job: Any) -> dict[str, Any]:
    """Of one that was fetched with its `labels_text`."""
    progress = Progress.of(job)
    return {
        "id": job.pk,
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state,
        "priority": job.priority,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "enqueued_at": job.enqueued_at,
        "run_at": job.run_at,
        "expires_at": job.expires_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "dedupe_key": job.dedupe_key,
        "idempotency_key": job.idempotency_key,
        "concurrency_key": job.concurrency_key,
        "batch": job.batch_id,
        "schedule": job.schedule_id,
        "labels": parsed(job.labels_text) or [],
        "progress": progress and {"percent": progress.percent, "message": progress.message},
        "last_error": job.last_error[:LONGEST_ERROR],
    }


def documented(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """With all that a document has of a job: read at once, it is of one moment."""
    return with_texts(jobs, *VALUES, "errors").annotate(labels_text=LabelsOf("pk"))


def document(job: Any, *, now: datetime) -> dict[str, Any]:
    values = {name: value_of(getattr(job, f"{name}_text"), kind=job.kind) for name in VALUES}
    errors = read_errors(parsed(job.errors_text), otherwise=job.enqueued_at)[::-1]
    took = run_time(job, now=now)
    return {
        **line(job),
        **values,
        "timeout_seconds": job.timeout_seconds,
        "took_seconds": None if took is None else took.total_seconds(),
        "process": _process(job),
        "cancel_requested_at": job.cancel_requested_at,
        "cancel_reason": job.cancel_reason,
        "cancelled_by": job.cancelled_by,
        "is_to_be_killed": job.is_to_be_killed,
        "errors": [
            {
                "at": error.at,
                "attempt": error.attempt,
                "message": error.message,
                "traceback": error.traceback,
            }
            for error in errors
        ],
    }


def timeline_of(job: Job, *, now: datetime) -> dict[str, Any]:
    errors = read_errors(parsed(texts_of(job, "errors")["errors"]), otherwise=job.enqueued_at)
    return {
        "moments": [
            {
                "at": moment.at,
                "title": str(moment.title),
                "detail": moment.detail,
                "is_to_come": moment.is_to_come,
            }
            for moment in timeline(job, errors, now=now)
        ],
        "steps": [
            {"name": step.name, "role": step.role, "at": step.at, "value": step.text}
            for step in stored_steps(job)
        ],
    }


def why(job: Job, *, now: datetime) -> dict[str, Any]:
    return {
        "why": _sentence(diagnose(read_facts(job, now=now))),
        "after": _links(comes_after(job)),
        "before": _links(comes_before(job)),
    }


def _process(job: Job) -> str | None:
    """Which runs it, or of a kind that keeps it, which did."""
    running = Process.objects.filter(pk=job.process_id).first() if job.process_id else None
    return running.name if running else job.process_name


def _sentence(said: Diagnosis | None) -> str | None:
    """As on the job's page, with what it ends in there."""
    if said is None:
        return None
    ends = [said.moment.isoformat()] if said.moment else []
    ends += [f"#{job}" for job in said.jobs] + [f"{name} #{pk}" for pk, name in said.batches]
    return " ".join([str(said.text), ", ".join(ends)]).strip()


def _links(kin: Kin) -> dict[str, Any]:
    return {
        "some": [_link(link) for link in kin.links],
        "has_more": kin.has_more,
    }


def _link(link: Link) -> dict[str, Any]:
    other = link.job or link.batch
    return {
        "job": link.job and link.job.pk,
        "batch": link.batch and link.batch.pk,
        "state": other and other.state,
        "needs": link.needs,
    }
