"""What an error comes to that ended a run: a failure, as a rule, which may not be the job's own."""

from __future__ import annotations

from threading import Event

from django.db import connections

from forge_jobs.exceptions import ClaimLost, JobTimedOut
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.outcomes import Cancelled, Outcome, Released
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.runtime.running.interruption import excuse
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.signals import job_raised


class Failures:
    """Looked into in the thread, and the sessions, in which the error arose."""

    drop_sessions = staticmethod(connections.close_all)
    """For what was struck: it may have been in the middle of a query."""

    def __init__(self, *, stopping: Event) -> None:
        self.stopping = stopping

    def outcome(self, run: Run, error: BaseException) -> Outcome:
        """The loss of its session costs the job no attempt."""
        if isinstance(error, ClaimLost):
            return Released()
        if job_raised.has_listeners():
            job_raised.send_robust(type(self), job=shown_job(run.job), error=error)
        if run.killed_at != NEVER:
            self.drop_sessions()
            return Cancelled(run.context.cancelled.reason)
        if run.has_timed_out or isinstance(error, JobTimedOut):
            self.drop_sessions()
            limit = run.job.timeout_seconds
            return failed(error, saying=f"Timed out after {limit:g} s" if limit else "Timed out")
        run.due_at = NEVER  # the handler is over, however long the database may be away
        handler = registry.find(run.job.kind)
        if handler and handler.counts_interruptions:
            return failed(error)
        return self.excuse(run, error) or failed(error)

    def excuse(self, run: Run, error: BaseException) -> Outcome | None:
        """What a run comes to that failed by the loss of its session; None if it did not."""
        return excuse(error, run.job, stopping=self.stopping)
