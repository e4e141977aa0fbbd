"""Labels of jobs that have just been stored, in the transaction that did it."""

from __future__ import annotations

from collections.abc import Collection

from forge_jobs.enqueueing.stored import Stored


def label(stored: Collection[Stored]) -> None:
    """Label new jobs, and those that were replaced anew."""
    from forge_jobs.models import JobLabel

    if replaced := [job.id for job in stored if job.became == "replace"]:
        JobLabel.objects.filter(job__in=replaced).delete()
    given = [
        (job.id, job.row.extras.labels)
        for job in stored
        if job.row.extras and job.row.extras.labels and job.became in ("new", "replace")
    ]
    if given:
        JobLabel.objects.put(given)
