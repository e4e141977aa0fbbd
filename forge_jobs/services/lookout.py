"""Says which work nobody can do: a queue that no live process serves, a kind that none knows."""

from datetime import datetime, timedelta

from forge_jobs.operations.status import unserved
from forge_jobs.services.base import Service
from forge_jobs.signals import work_unserved


class Lookout(Service):
    """Such jobs wait in silence: after a rename, a rollback, or a process with `--queues`."""

    interval = timedelta(minutes=1)

    def run_once(self, *, now: datetime) -> int:
        found = unserved(now=now)
        if found:
            work_unserved.send_robust(type(self), unserved=found)
        return len(found)
