"""Whether a run may begin: asked in one way by threads, by chunks and by the loop of coroutines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from threading import Event

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.outcomes import Expired, Released
from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.runtime.running.run import End, Run
from forge_jobs.signals import job_started
from forge_jobs.states import State


class Beginning:
    """Asks the door of the job's queue, and then the database where it is to know of attempts."""

    def __init__(
        self,
        process: Process,
        *,
        doors: Mapping[str, Door],
        writing: AbstractContextManager[object],
        stopping: Event,
    ) -> None:
        self._process = process
        self._doors = doors
        self._writing = writing
        self._stopping = stopping

    def refused(self, run: Run) -> End | None:
        """What a job comes to that may not begin; of one that may, those are told who listen."""
        job = run.job
        if (door := self._doors.get(job.queue)) and not door.may_begin(job):
            return Released(), None
        if job.is_on_record and not self._is_put_on_record(job):
            return self._expired(job) or (Released(), None)
        if job_started.has_listeners():
            job_started.send_robust(type(self), job=shown_job(job))
        return None

    def takes_its_time(self, job: ClaimedJob) -> bool:
        """Whether the database or somebody else's code is to be waited for."""
        return job.is_on_record or job_started.has_listeners()

    def _is_put_on_record(self, job: ClaimedJob) -> bool:
        """Let it be known that an attempt begins which must not be taken for one that did not."""
        return self._is_written(
            lambda: Job.objects.begin(job, process=self._process, now=clock.now())
        )

    def _expired(self, job: ClaimedJob) -> End | None:
        """None if it has not, and is not ours any more."""
        now = clock.now()
        expire = partial(Job.objects.expire_claimed, job, process=self._process, now=now)
        if job.expires_at is None or not self._is_written(expire):
            return None
        reason = f"Expired at {datetime.fromtimestamp(job.expires_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        ended = Transition(job.id, job.claimed_at, State.CANCELLED, job.attempt - 1)
        return Expired(), ended._replace(finished_at=now, last_error=reason)

    def _is_written(self, write: Callable[[], bool]) -> bool:
        """Whether the database took it before this process stops."""

        def step() -> bool:
            with self._writing:
                return write()

        try:
            return ride_out(step, doing="starting a job", stopping=self._stopping)
        except Stopped:
            return False
