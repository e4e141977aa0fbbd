"""What a line of the list tells of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.dashboard.documents import parsed
from forge_jobs.dashboard.payloads import in_short
from forge_jobs.models import Job, State
from forge_jobs.states import TERMINAL, WAITING

LARGEST: Final = 1e300


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a running job is, as its handler says; `percent` is None if it knows no end."""

    percent: int | None
    message: str

    @classmethod
    def of(cls, job: Job) -> Self | None:
        told = job.progress
        if job.state != State.RUNNING or not isinstance(told, Mapping):
            return None
        done, total = _number(told.get("done")), _number(told.get("total"))
        percent = int(100 * max(0.0, min(1.0, (done or 0) / total))) if total else None
        return cls(percent=percent, message=str(told.get("message") or ""))


@dataclass(frozen=True, kw_only=True)
class JobLine:
    """`payload` is in short, and empty if the job was not fetched with `short_payload`."""

    job: Job
    payload: str
    label: str | Promise
    moment: datetime | None
    run_time: timedelta | None
    error: str
    progress: Progress | None
    labels: Sequence[str]

    @classmethod
    def of(cls, job: Job, *, labels: Sequence[str] = (), now: datetime) -> Self:
        label, moment = _when(job)
        lines = job.last_error.strip().splitlines()
        return cls(
            job=job,
            payload=in_short(parsed(getattr(job, "short_payload", None)), kind=job.kind),
            label=label,
            moment=moment,
            run_time=run_time(job, now=now),
            error=lines[0][:300] if lines else "",
            progress=Progress.of(job),
            labels=labels,
        )


def run_time(job: Job, *, now: datetime) -> timedelta | None:
    """Of the last run: so far, or until it finished the job; None where nobody knows."""
    if job.state == State.RUNNING and job.started_at:
        return max(timedelta(0), now - job.started_at)
    if job.state in TERMINAL and job.started_at and job.finished_at:
        waited_since = job.cancel_requested_at == job.finished_at  # cancelled while it waited
        return None if waited_since else max(timedelta(0), job.finished_at - job.started_at)
    return None


def _when(job: Job) -> tuple[str | Promise, datetime | None]:
    if job.state in WAITING:
        return _("due"), job.run_at
    if job.state == State.RUNNING:
        return _("started"), job.started_at
    if job.state in TERMINAL:
        return _("finished"), job.finished_at
    return _("enqueued"), job.enqueued_at


def _number(value: Any) -> float | None:
    """What a bar can show; a handler may have said anything."""
    is_shown = isinstance(value, int | float) and abs(value) < LARGEST
    return float(value) if is_shown else None
