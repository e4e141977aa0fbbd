"""The claims that a process holds, each from its claim until its outcome is durable."""

from collections.abc import Iterable
from itertools import islice

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, Process


class Claims:
    """Told apart by object, for a job that was given back may be claimed again at once.

    Added to by the fetcher and dropped from by the finalizer; each step is atomic in CPython.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._jobs: dict[int, ClaimedJob] = {}

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

    def release_unheld(self) -> None:
        """Give back what the table says we run but a lost answer kept us from knowing of."""
        held = {job.id for job in self._all()}
        Job.objects.claimed_by(self._process).exclude(pk__in=held).release(now=clock.now())

    def _all(self) -> Iterable[ClaimedJob]:
        return list(self._jobs.values())
