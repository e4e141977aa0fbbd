"""Sees to it that there is exactly one job of each resident handler, whatever became of others."""

from datetime import datetime, timedelta

from forge_jobs.enqueueing.enqueue import enqueue
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job
from forge_jobs.services.base import Service


class Residents(Service):
    """Their dedupe keys keep them single, so that every process may do this."""

    interval = timedelta(seconds=30)

    def run_once(self, *, now: datetime) -> int:
        made = 0
        for handler in map(registry.get, registry.kinds()):
            key = f"resident:{handler.kind}"
            if handler.resident and not Job.objects.unfinished().filter(dedupe_key=key).exists():
                job = enqueue(handler, {}, dedupe_key=key, max_attempts=None)
                made += not job.was_deduplicated
        return made
