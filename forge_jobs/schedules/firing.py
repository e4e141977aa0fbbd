"""Makes the jobs of schedules: for a due moment, or because somebody asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from forge_jobs import clock, db
from forge_jobs.conf.policies import Overlap
from forge_jobs.db.rows import NewRow
from forge_jobs.durations import of_seconds
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.enqueueing.enqueue import enqueue, insert_all

if TYPE_CHECKING:
    from forge_jobs.models import Job, Schedule

REPLACED: Final = "replaced by the next job of its schedule"


@dataclass(frozen=True)
class Due:
    """A moment of a schedule, and the one before for which a job was made."""

    schedule: Schedule
    at: datetime
    last: datetime | None

    @property
    def key(self) -> str:
        return f"schedule:{self.schedule.pk}:{self.at.isoformat()}"

    def row(self, *, now: datetime) -> NewRow:
        """Its job, to be inserted; raises as `enqueue()` does."""
        options = _options(self.schedule) | self.options(now=now)
        return Draft.of(self.schedule.kind, **options).row(self.schedule.payload)

    def options(self, *, now: datetime) -> dict[str, Any]:
        """What sets its job apart from the schedule's others."""
        return {
            "run_at": max(now, self.at + _jitter(self.schedule, self.at)),
            "idempotency_key": self.key,
            "context": _context(self.schedule, due=self.at, last_due=self.last, origin="schedule"),
        }


def fire(schedule: Schedule, *, due: datetime, last_due: datetime | None, now: datetime) -> bool:
    """Make the job of a due moment; False if `overlap` is `skip` and an earlier one is unfinished.

    A moment that has its job already gets no other. Raises as `enqueue()` does.
    """
    moment = Due(schedule, due, last_due)
    job = _make(schedule, now=now, **moment.options(now=now))
    return job is not None and (not job.was_deduplicated or job.idempotency_key == moment.key)


def fire_together(rows: Mapping[int, NewRow]) -> set[int]:
    """The same for one moment each of many schedules, by their keys; returns those that fired.

    None of them replaces jobs. What can't be stored is raised, and is the fault of one of them.
    """
    from forge_jobs.models import Job

    skipping = [pk for pk, row in rows.items() if row.dedupe_key]
    unfinished = Job.objects.unfinished().filter(schedule__in=skipping)
    busy = set(unfinished.values_list("schedule", flat=True))
    fired = {pk: row for pk, row in rows.items() if pk not in busy}
    if not fired:
        return set()
    stored = dict(zip(fired, insert_all([*fired.values()]), strict=True))
    new = {pk: job.id for pk, job in stored.items() if job.inserted}
    with db.connection().cursor() as cursor:
        db.twin().own_jobs(cursor, jobs=[*new.values()], schedules=[*new])
    holders = {job.id for job in stored.values() if not job.inserted}
    keys = dict(Job.objects.filter(pk__in=holders).values_list("pk", "idempotency_key"))
    return new.keys() | {
        pk for pk, job in stored.items() if keys.get(job.id) == job.row.idempotency_key
    }


def trigger(schedule: Schedule, *, by: str = "") -> Job | None:
    """Make one job now and leave the plan alone; see `Schedule.trigger()`."""
    now = clock.now()
    context = _context(schedule, due=now, last_due=schedule.last_fired_at, origin="trigger", by=by)
    job = db.unless_locked(lambda: _make(schedule, now=now, context=context))
    return None if job is None or job.was_deduplicated else job


def _make(schedule: Schedule, *, now: datetime, **options: Any) -> Job | None:
    from forge_jobs.models import Job

    unfinished = Job.objects.unfinished().filter(schedule=schedule)
    with transaction.atomic(using=db.connection().alias):
        match schedule.overlap:
            case Overlap.SKIP if unfinished.exists():
                return None
            case Overlap.REPLACE:
                unfinished.cancel(REPLACED, by=f"schedule {schedule}", now=now)
        job = enqueue(schedule.kind, schedule.payload, **_options(schedule), **options)
        if not job.was_deduplicated:
            Job.objects.filter(pk=job.pk).update(schedule=schedule)
            job.schedule_id = schedule.pk
    return job


def _options(schedule: Schedule) -> dict[str, Any]:
    """Those that all of its jobs have."""
    options: dict[str, Any] = {"queue": schedule.queue or None, "priority": schedule.priority}
    if schedule.max_attempts is not None:
        options["max_attempts"] = schedule.max_attempts
    if schedule.overlap == Overlap.SKIP:
        options["dedupe_key"] = f"schedule:{schedule.pk}"
    return options


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
