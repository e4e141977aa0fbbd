"""Where a run stores what those after it need: the database, or whatever stands for it."""

from typing import Protocol

from forge_jobs.db.rows import ClaimedJob, StepRow


class Store(Protocol):
    """What is stored belongs to a claim; each verb but `read` raises `ClaimLost` without it."""

    @property
    def is_stopping(self) -> bool:
        """Whether the process stops: what can go on later should."""

    def read(self, job: ClaimedJob) -> list[StepRow]:
        """What this run and those before it have stored."""

    def write(self, job: ClaimedJob, row: StepRow) -> None:
        """Store a row, in the place of one with the same name."""

    def complete(self, job: ClaimedJob, result: str | None) -> None:
        """Make the job a success with the transaction that is open; `result` is a JSON text."""

    def is_complete(self, job: ClaimedJob) -> bool:
        """Whether such a transaction was committed."""


class Memory:
    """For a run without a job in the database: it forgets."""

    is_stopping = False

    def read(self, job: ClaimedJob) -> list[StepRow]:
        return []

    def write(self, job: ClaimedJob, row: StepRow) -> None:
        """There is no later run."""

    def complete(self, job: ClaimedJob, result: str | None) -> None:
        """There is nothing to be settled."""

    def is_complete(self, job: ClaimedJob) -> bool:
        return True
