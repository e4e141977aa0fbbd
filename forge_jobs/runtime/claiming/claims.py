"""The claims that a process holds, each from its claim until its outcome is durable."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from threading import RLock
from typing import Final

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, Process

PATIENCE: Final = 1.0
"""Seconds; the finalizer may wait for longer, for a row that somebody has locked."""


class Claims:
    """Told apart by object, for a job that was given back may be claimed again at once.

    Added to by the fetcher, and added to and dropped from by the finalizer; each step is atomic in
    CPython.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._jobs: dict[int, ClaimedJob] = {}
        self.inheriting = RLock()
        """Held by the finalizer from before it claims heirs until they are added here: in between,
        they look like claims of which nobody knows.
        """

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, *jobs: ClaimedJob) -> None:
        self._jobs.update(zip(map(id, jobs), jobs, strict=True))

    def drop(self, job: ClaimedJob) -> None:
        self._jobs.pop(id(job), None)

    def count(self, kind: str) -> int:
        """How many of them are of a kind."""
        return sum(job.kind == kind for job in self._all())

    def have_more_keys_than(self, number: int) -> bool:
        """Whether more than so many of them have concurrency keys."""
        with_keys = (job for job in self._all() if job.concurrency_key)
        return next(islice(with_keys, number, None), None) is not None

    def release_unheld(self, *, claimed_at: datetime | None = None) -> bool:
        """Give back what the table says we run but a lost answer kept us from knowing of.

        Whenever that was claimed, or only what was at that moment. False if it is not known yet.
        """
        ours = Job.objects.claimed_by(self._process)
        if claimed_at:
            ours = ours.filter(started_at=claimed_at)
        if not self.inheriting.acquire(timeout=PATIENCE):
            return False
        try:
            held = {job.id for job in self._all()}
            ours.exclude(pk__in=held).release(now=clock.now())
        finally:
            self.inheriting.release()
        return True

    def _all(self) -> Iterable[ClaimedJob]:
        return list(self._jobs.values())
