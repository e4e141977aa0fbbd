"""Tells all of one job."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from forge_jobs.dashboard.kin import comes_after, comes_before
from forge_jobs.dashboard.steps import StoredStep, stored_steps
from forge_jobs.handlers.secrecy import shown
from forge_jobs.management import kin_report
from forge_jobs.management.rendering import (
    ago,
    clock_face,
    facts,
    indented,
    lasting,
    one_line,
)
from forge_jobs.models import Batch, Job, JobLabel, Process, State
from forge_jobs.states import TERMINAL


def as_text(job: Job, *, now: datetime) -> str:
    blocks = [
        [one_line(str(job)), *facts(_facts(job, now=now))],
        kin_report.as_lines("comes after", comes_after(job)),
        kin_report.as_lines("comes before", comes_before(job)),
        _json(job, "payload"),
        _json(job, "result") if job.result is not None else [],
        _json(job, "context") if job.context else [],
        *(_step(step, now=now) for step in stored_steps(job)),
        *(_error(error, now=now) for error in job.errors),
        ["last error", *indented(job.last_error, by=2)] if _says_more(job) else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _facts(job: Job, *, now: datetime) -> dict[str, str]:
    return {
        "state": job.state,
        "queue": job.queue,
        "priority": str(job.priority),
        "attempts": f"{job.attempt} of {job.max_attempts or 'any number'}",
        "timeout": _timeout(job),
        "enqueued at": _moment(job.enqueued_at, now=now),
        "run at": _moment(job.run_at, now=now),
        "expires at": "" if job.state in TERMINAL else _moment(job.expires_at, now=now),
        "started at": _moment(job.started_at, now=now),
        "finished at": _moment(job.finished_at, now=now),
        "took": _run_time(job),
        "process": _process(job),
        "batch": _batch(job),
        "labels": ", ".join(JobLabel.objects.of([job.pk]).get(job.pk, ())),
        "dedupe key": job.dedupe_key or "",
        "idempotency key": job.idempotency_key or "",
        "asked to stop": _moment(job.cancel_requested_at, now=now),
        "because": job.cancel_reason,
    }


def _timeout(job: Job) -> str:
    seconds = job.timeout_seconds
    return "" if seconds is None else lasting(timedelta(seconds=seconds))


def _moment(moment: datetime | None, *, now: datetime) -> str:
    return f"{clock_face(moment)}, {ago(moment, now=now)}" if moment else ""


def _run_time(job: Job) -> str:
    """Of the last run, if that is what finished the job."""
    if job.state == State.CANCELLED or not job.started_at or not job.finished_at:
        return ""
    return lasting(job.finished_at - job.started_at)


def _process(job: Job) -> str:
    if job.process_id is None:
        return ""
    process = Process.objects.filter(pk=job.process_id).first()
    if process is None:
        return f"one that has been forgotten (its id was {job.process_id})"
    return f"{process.name} (pid {process.pid} on {process.host})"


def _batch(job: Job) -> str:
    batch = Batch.objects.filter(pk=job.batch_id).first() if job.batch_id else None
    return f"{batch}, {batch.state}" if batch else ""


def _json(job: Job, name: str) -> list[str]:
    value = shown(getattr(job, name), kind=job.kind)
    return [name, *indented(json.dumps(value, indent=2, ensure_ascii=False), by=2)]


def _step(step: StoredStep, *, now: datetime) -> list[str]:
    head = f"{step.role} {step.name}".strip()
    return [one_line(f"{head}, {_moment(step.at, now=now)}"), *indented(step.text, by=2)]


def _error(error: dict[str, Any], *, now: datetime) -> list[str]:
    at = datetime.fromisoformat(error["at"])
    return [
        f"error of attempt {error['attempt']}, {_moment(at, now=now)}",
        *indented(error["message"], by=2),
        *indented(error["traceback"], by=4),
    ]


def _says_more(job: Job) -> bool:
    """Whether the last error stands nowhere else: that of a cancelled run has no traceback."""
    told = ["", job.cancel_reason, *(error["message"] for error in job.errors)]
    return job.last_error not in told
