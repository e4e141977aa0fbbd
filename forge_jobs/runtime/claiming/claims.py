"""The claims that a process holds, each from its claim until its outcome is durable."""

from collections.abc import Iterable

from forge_jobs.db.rows import ClaimedJob


class Hold:
    """Told apart by object, for a job that was given back may be claimed again at once.

    Added to by the fetcher and dropped from by the finalizer; each step is atomic in CPython.
    """

    def __init__(self) -> None:
        self._jobs: dict[int, ClaimedJob] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, jobs: Iterable[ClaimedJob]) -> None:
        self._jobs.update((id(job), job) for job in jobs)

    def drop(self, job: ClaimedJob) -> None:
        self._jobs.pop(id(job), None)

    def count(self, kind: str) -> int:
        """How many of them are of a kind."""
        return sum(job.kind == kind for job in list(self._jobs.values()))

    def ids(self) -> set[int]:
        """The primary keys of the jobs."""
        return {job.id for job in list(self._jobs.values())}
