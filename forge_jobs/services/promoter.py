"""Finds concurrency keys that are free while jobs wait for them."""

from datetime import datetime, timedelta

from forge_jobs.models import Job
from forge_jobs.services.base import Service


class Promoter(Service):
    """Whoever frees a key passes it on; this is for those that died in between."""

    interval = timedelta(seconds=2)

    def run_once(self, *, now: datetime) -> int:
        keys = Job.objects.stalled_keys()
        return Job.objects.promote(keys) if keys else 0
