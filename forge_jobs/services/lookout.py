"""Says which work nobody can do: that no process serves, or that somebody keeps locked."""

from datetime import datetime, timedelta

from forge_jobs.operations.locks import held_locks
from forge_jobs.operations.status import unserved
from forge_jobs.services.base import Service
from forge_jobs.signals import locks_held, work_unserved


class Lookout(Service):
    """Such jobs wait in silence: after a rename, a rollback, or a process with `--queues`."""

    interval = timedelta(minutes=1)

    def run_once(self, *, now: datetime) -> int:
        found = unserved(now=now)
        if found:
            work_unserved.send_robust(type(self), unserved=found)
        if locks := held_locks():
            locks_held.send_robust(type(self), locks=locks)
        return len(found) + len(locks)
