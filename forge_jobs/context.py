"""All that a handler sees of the job it runs, and of the request to stop."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, MutableMapping, Sequence
from datetime import datetime
from functools import cached_property
from math import isfinite
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, SupportsFloat, Unpack

from forge_jobs.budgets import Budget
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.enqueueing.enqueue import EnqueuedJobs, NewJob, aenqueue, enqueue, enqueue_many
from forge_jobs.handlers.border import plain
from forge_jobs.handlers.handler import JobHandler, JobOptions
from forge_jobs.handlers.outcomes import Cancelled
from forge_jobs.sets.keeping import Keeping
from forge_jobs.sets.stores import Memory, Store
from forge_jobs.wording import quoted, trimmed

if TYPE_CHECKING:
    from forge_jobs.models import Batch, Job

SHUTDOWN: Final = "shutdown"
"""The `reason` of a cancellation because the process stops; the job will run again."""

LONGEST_PROGRESS_MESSAGE: Final = 200

LOST: Final = "lost"
"""The `reason` when the job is no longer this process's, which others thought dead."""


class Cancellation:
    """Whether the job was asked to stop: true or false, can be waited for, and says why."""

    _creating: Final = Lock()
    reason = ""
    _event: Event | None = None

    def __bool__(self) -> bool:
        return bool(self.reason)

    def set(self, reason: str) -> None:
        """Ask the job to stop; the first reason stays."""
        with self._creating:
            self.reason = self.reason or reason
            if self._event:
                self._event.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Sleep until the job is asked to stop, at most so long; tells whether it was."""
        with self._creating:
            if not self._event:
                self._event = Event()
            if self.reason:
                self._event.set()
        return self._event.wait(seconds)

    def raise_if_set(self) -> None:
        """End the run here, by raising `Cancelled`, if the job was asked to stop."""
        if self.reason:
            raise Cancelled(self.reason)


class Progress(NamedTuple):
    """How far a run has come: `done` of `total`, if that is known, and what it is at."""

    done: float
    total: float | None
    message: str

    def as_json(self) -> str:
        return json.dumps(self._asdict(), ensure_ascii=False)


NOWHERE: Final = Memory()


class JobContext(Keeping):
    """The job that a handler runs: what it is, and what the handler may do beside its work."""

    place = ""
    """In which child of which process it is run, if it is run in one."""
    together: Sequence[ClaimedJob] = ()
    """Of a chunk's first context: all jobs that the call is for."""
    told_progress: Progress | None = None

    def __init__(self, job: ClaimedJob, *, process_name: str, store: Store = NOWHERE) -> None:
        self.job = job
        self.process_name = process_name
        self.store = store
        self.cancelled: Final = Cancellation()

    def __repr__(self) -> str:
        return f"<JobContext {self.kind} #{self.job_id}, attempt {self.attempt}>"

    @property
    def job_id(self) -> int:
        return self.job.id

    @property
    def kind(self) -> str:
        return self.job.kind

    @property
    def queue(self) -> str:
        return self.job.queue

    @property
    def attempt(self) -> int:
        """Which attempt this is, counted from 1."""
        return self.job.attempt

    @property
    def max_attempts(self) -> int | None:
        """How many attempts the job has; None for no limit."""
        return self.job.max_attempts

    @cached_property
    def context(self) -> dict[str, Any]:
        """The `context` given to `enqueue()`, or by the schedule that made the job."""
        context: dict[str, Any] = json.loads(self.job.context)
        return context

    @property
    def schedule(self) -> str | None:
        """The name of the schedule that made this job; None for other jobs."""
        name: str | None = self.context.get("schedule")
        return name

    @property
    def due_at(self) -> datetime | None:
        """The due moment for which it was made, or when it was triggered; None for other jobs."""
        return self._moment("due_at")

    @property
    def last_due_at(self) -> datetime | None:
        """The due moment of the job before, if any: what came since, up to `due_at`, is its own."""
        return self._moment("last_due_at")

    def _moment(self, name: str) -> datetime | None:
        moment = self.context.get(name) if self.schedule else None
        return datetime.fromisoformat(moment) if moment else None

    @cached_property
    def batch(self) -> Batch | None:
        """The batch that this job is in, which takes more jobs from it even when it is sealed."""
        from forge_jobs.models import Batch

        found = Batch.objects.filter(jobs=self.job_id).first()
        if found:
            found.is_of_this_job = True
        return found

    @cached_property
    def results(self) -> list[Any]:
        """What those returned that this job comes after, in the order in which they were given.

        None for one that did not succeed; for a batch, how many jobs ended in which state.
        """
        from forge_jobs.models import Predecessor

        return Predecessor.objects.results_for(self.job_id)

    @cached_property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """Logs to `forge_jobs.jobs`, with the job's id, kind, queue and attempt in `extra`."""
        return _JobLogger(
            logging.getLogger("forge_jobs.jobs"),
            {
                "job_id": self.job_id,
                "kind": self.kind,
                "queue": self.queue,
                "attempt": self.attempt,
            },
        )

    def progress(
        self, done: SupportsFloat, total: SupportsFloat | None = None, message: str = ""
    ) -> None:
        """Tell how far the job has come; as often as you like, for others see it twice a second.

        Any number will do, a `Decimal` too. Of a `message` the first and last hundred characters
        are kept. Raises `ValueError` for what is not a finite number, and `TypeError` for what is
        no number at all.
        """
        self.told_progress = Progress(
            _finite(done, field="done"),
            None if total is None else _finite(total, field="total"),
            trimmed(plain(message), LONGEST_PROGRESS_MESSAGE),
        )

    def asked_to_stop(self) -> Cancelled | None:
        """The outcome of a run that is to stop where it can go on later; None if it is not."""
        if self.store.is_stopping:
            self.cancelled.set(SHUTDOWN)
        return Cancelled(self.cancelled.reason) if self.cancelled else None

    def budget(self, name: str) -> Budget:
        """A rate limit that holds across the cluster, by its name in `FORGE_JOBS["BUDGETS"]`."""
        return Budget(name)

    def enqueue(
        self,
        kind: str | JobHandler,
        payload: dict[str, Any] | None = None,
        **options: Unpack[JobOptions],
    ) -> Job:
        """Store follow-up work, as `forge_jobs.enqueue()` does."""
        return enqueue(kind, payload, **options)

    async def aenqueue(
        self,
        kind: str | JobHandler,
        payload: dict[str, Any] | None = None,
        **options: Unpack[JobOptions],
    ) -> Job:
        """The same, for `async def` handlers."""
        return await aenqueue(kind, payload, **options)

    def enqueue_many(self, jobs: Iterable[NewJob]) -> EnqueuedJobs:
        """Store follow-up work, as `forge_jobs.enqueue_many()` does."""
        return enqueue_many(jobs)


def _finite(number: SupportsFloat, *, field: str) -> float:
    """As an `int` or a `float` that JSON can tell."""
    try:
        is_finite = isfinite(number)
        told = int(number) if isinstance(number, int) else float(number)
    except OverflowError:  # of an int that is larger than any float
        is_finite = False
    if not (is_finite and isfinite(told)):  # asked twice, a number may answer differently
        raise ValueError(f"{field} must be a finite number, not {quoted(number)}.")
    return told


class _JobLogger(logging.LoggerAdapter[logging.Logger]):
    """Says which job speaks, in the line and in its fields."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        fields = {**(self.extra or {}), **kwargs.get("extra", {})}
        return f"{fields['kind']} #{fields['job_id']}: {msg}", {**kwargs, "extra": fields}
