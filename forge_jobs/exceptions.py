"""Everything forge_jobs raises on its own account."""

from typing import Any

from forge_jobs.wording import quoted


class ForgeJobsError(Exception):
    """The base of all errors of forge_jobs."""


class EnqueueError(ForgeJobsError, ValueError):
    """A job was refused at `enqueue()`; nothing was written. `field` names what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownKind(EnqueueError):
    """No handler is registered for the kind."""


class UnknownQueue(EnqueueError):
    """The queue is not declared in `FORGE_JOBS["QUEUES"]`."""


class InvalidPayload(EnqueueError):
    """The payload is not JSON, or does not fit the handler's signature."""


class InvalidArguments(InvalidPayload, TypeError):
    """A task can't be called with these arguments, or they are not JSON.

    A `TypeError` too, as Django's own backends raise it.
    """


class PayloadTooLarge(InvalidPayload):
    """The payload is longer than `FORGE_JOBS["MAX_PAYLOAD_BYTES"]`."""


class InvalidOption(EnqueueError):
    """An option of `enqueue()` is out of its range or of the wrong type."""


class KeyUnavailable(EnqueueError):
    """A key is held by a job that this transaction can't see."""

    def __init__(self, key: str | None, *, field: str) -> None:
        super().__init__(
            f"{field} {quoted(key)} is held by a job that this transaction can't see; enqueue in a "
            f"transaction of its own, or at isolation level READ COMMITTED.",
            field=field,
        )


class NotMigrated(ForgeJobsError):
    """The database lacks tables or columns of forge_jobs, as in a migration that comes too early.

    The message says which dependency the migration lacks, or what to run.
    """


class InvalidHandler(ForgeJobsError, ValueError):
    """A handler can't be as it is declared; `field` names what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidSchedule(ForgeJobsError, ValueError):
    """A schedule can't be as it is declared; `field` names what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownBudget(ForgeJobsError, LookupError):
    """No budget has this name."""


class ChildUnfit(ForgeJobsError):
    """A child can't be started, or did not prove that it can do its work; the message says why."""


class UnreadablePayload(ForgeJobsError, ValueError):
    """A stored payload does not fit the annotations of its handler, which have changed since."""


class NotAResult(ForgeJobsError, ValueError):
    """What a handler returned is neither an outcome nor JSON, or too large to be kept."""


class InvalidStep(ForgeJobsError, ValueError):
    """What a handler asks its context to keep or to walk can't be; `field` names what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class CantWait(ForgeJobsError, RuntimeError):
    """`join()` was called where what it waits for could never come to be, or it is gone."""


class JobFailed(ForgeJobsError):
    """A job that was waited for is dead, or was cancelled; `job` is the one."""

    def __init__(self, job: Any) -> None:
        why = job.last_error or job.cancel_reason
        super().__init__(f"Job {job} is {job.state}{f': {why}' if why else '.'}")
        self.job = job


class BatchFailed(ForgeJobsError):
    """A batch that was waited for ended with jobs that are dead or cancelled; it is `batch`."""

    def __init__(self, batch: Any) -> None:
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(batch.counts.items()))
        super().__init__(f"Batch {batch} failed: {counts or 'one of its parts did'}.")
        self.batch = batch


class ProcessLost(ForgeJobsError):
    """The process that ran a job was lost, or stopped too early for it.

    Stands in the job's errors, and is raised by nobody.
    """


class ProcessNameTaken(ForgeJobsError):
    """A live process of this host already has the name."""


class ClaimLost(BaseException):
    """Raised inside a handler that wants to store something for a job which is no longer its own.

    Nothing was stored, and whatever the run comes to is refused. No `Exception`, as `JobKilled`.
    """


class JobKilled(BaseException):
    """Raised inside a handler whose job somebody killed; no `Exception`, as `JobTimedOut`."""


class JobTimedOut(BaseException):
    """Raised inside a handler whose job has run longer than its `timeout`.

    No `Exception`, so that a handler's `except Exception` does not swallow it.
    """
