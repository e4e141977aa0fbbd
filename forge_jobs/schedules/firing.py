"""Makes the jobs of schedules: for a due moment, or because somebody asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from forge_jobs import clock, db
from forge_jobs.conf.policies import Overlap
from forge_jobs.durations import of_seconds
from forge_jobs.enqueueing.enqueue import enqueue

if TYPE_CHECKING:
    from forge_jobs.models import Job, Schedule

REPLACED: Final = "replaced by the next job of its schedule"


def fire(schedule: Schedule, *, due: datetime, last_due: datetime | None, now: datetime) -> bool:
    """Make the job of a due moment; False if `overlap` is `skip` and an earlier one is unfinished.

    A moment that has its job already gets no other. Raises as `enqueue()` does.
    """
    key = f"schedule:{schedule.pk}:{due.isoformat()}"
    job = _make(
        schedule,
        now=now,
        run_at=max(now, due + _jitter(schedule, due)),
        idempotency_key=key,
        context=_context(schedule, due=due, last_due=last_due, origin="schedule"),
    )
    return job is not None and (not job.was_deduplicated or job.idempotency_key == key)


def trigger(schedule: Schedule, *, by: str = "") -> Job | None:
    """Make one job now and leave the plan alone; see `Schedule.trigger()`."""
    now = clock.now()
    context = _context(schedule, due=now, last_due=schedule.last_fired_at, origin="trigger", by=by)
    job = db.unless_locked(lambda: _make(schedule, now=now, context=context))
    return None if job is None or job.was_deduplicated else job


def _make(schedule: Schedule, *, now: datetime, **options: Any) -> Job | None:
    from forge_jobs.models import Job

    if schedule.max_attempts is not None:
        options["max_attempts"] = schedule.max_attempts
    unfinished = Job.objects.unfinished().filter(schedule=schedule)
    with transaction.atomic(using=db.connection().alias):
        match schedule.overlap:
            case Overlap.SKIP:
                options["dedupe_key"] = f"schedule:{schedule.pk}"
                if unfinished.exists():
                    return None
            case Overlap.REPLACE:
                unfinished.cancel(REPLACED, by=f"schedule {schedule}", now=now)
        job = enqueue(
            schedule.kind,
            schedule.payload,
            queue=schedule.queue or None,
            priority=schedule.priority,
            **options,
        )
        if not job.was_deduplicated:
            Job.objects.filter(pk=job.pk).update(schedule=schedule)
            job.schedule_id = schedule.pk
    return job


def _context(
    schedule: Schedule, *, due: datetime, last_due: datetime | None, origin: str, **more: str
) -> dict[str, Any]:
    return {
        "schedule": schedule.name,
        "due_at": due.isoformat(),
        "last_due_at": last_due.isoformat() if last_due else None,
        "origin": origin,
        **more,
    }


def _jitter(schedule: Schedule, due: datetime) -> timedelta:
    """By the moment itself, so that a fire that is tried again does not choose another."""
    seed = sha256(f"{schedule.pk}:{due.isoformat()}".encode()).digest()
    share = int.from_bytes(seed[:8]) / 2**64
    return of_seconds(share * schedule.jitter_seconds)
