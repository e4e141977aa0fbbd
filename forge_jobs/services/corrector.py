"""Brings back what a clock that was ahead has put off for as long as it was ahead."""

from datetime import datetime, timedelta

from forge_jobs.models import Job, Queue
from forge_jobs.services.base import Service


class Corrector(Service):
    """Of retries, and of queues that cool down; the scheduler sees to schedules itself.

    When they were put off stands beside the moment until which they were, and shows by how much.
    """

    interval = timedelta(minutes=1)

    def run_once(self, *, now: datetime) -> int:
        queues: int = Queue.objects.bring_back(now=now)
        jobs: int = Job.objects.bring_back(now=now)
        return queues + jobs
