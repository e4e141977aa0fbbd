"""The life of a job, event by event."""

from __future__ import annotations

from forge_jobs.models import Event, Job, JobEvent


def timeline(job: Job) -> list[JobEvent]:
    """Its events, the oldest first; that it was enqueued, its row tells, and so it is not stored.

    What a process does is there about two seconds later. Of very many jobs at once, those that go
    well may have no event but the first.
    """
    enqueued = JobEvent(job_id=job.pk, at=job.enqueued_at, event=Event.ENQUEUED)
    return [enqueued, *JobEvent.objects.filter(job_id=job.pk).order_by("at", "id")]
