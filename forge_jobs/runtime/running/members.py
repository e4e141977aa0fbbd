"""The jobs that one call of a handler is for, each a run of its own, and the call as one run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from threading import Lock

from forge_jobs.context import JobContext, Progress
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.secrecy import secrets_of
from forge_jobs.runtime.claiming.desk import Desk
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.sets.stores import Store


class Member(Run):
    """One of the jobs: ended by its answer, or with the call.

    There are many, of most of which nobody asks anything; it is the call that has a thread, and can
    be struck.
    """

    def __init__(self, job: ClaimedJob, *, call: Call) -> None:
        self.job = job
        self.began_at = call.began_at
        self._call = call
        self._end = Lock()

    @cached_property
    def context(self) -> JobContext:  # type: ignore[override] # can be written as well
        made = JobContext(self.job, process_name=self._call.process_name, store=self._call.store)
        # Two threads that ask at once get the same one.
        kept: JobContext = vars(self).setdefault("context", made)
        return kept

    @property
    def known_context(self) -> JobContext | None:
        return vars(self).get("context")

    @property
    def untold_progress(self) -> Progress | None:
        return super().untold_progress if self.known_context else None

    def kill(self) -> None:
        if self.killed_at == NEVER and not self.has_ended:
            self.killed_at = time.monotonic()
            self._call.kill()

    @property
    def is_importing(self) -> bool:
        return self._call.is_importing


class Call(Run):
    """What ends it ends all that have no answer: a thread can't be struck for one of them."""

    def __init__(
        self,
        jobs: Sequence[ClaimedJob],
        *,
        desk: Desk | None = None,
        process_name: str,
        store: Store,
    ) -> None:
        super().__init__(jobs[0], process_name=process_name, store=store)
        self.process_name = process_name
        self.store = store
        self._desk = desk
        self.has_been_asked = False
        self._members = [Member(job, call=self) for job in jobs]

    @cached_property
    def secrets(self) -> list[str]:
        """What nobody should read of any of its jobs."""
        return secrets_of(run.job for run in self._members)

    @property
    def members(self) -> Sequence[Run]:
        return self._members

    def ask(self, group: Sequence[Run]) -> None:
        """Let the time of the next call begin, which is for these."""
        self.has_been_asked = True
        with self._lock:
            self._has_struck = False
        self.has_timed_out = False
        limit = shortest_limit(group)
        self.due_at = time.monotonic() + limit if limit else NEVER
        self.killed_at = min(run.killed_at for run in group)

    def let_go(self) -> None:
        if self._desk:
            jobs = [run.job for run in self._members]
            self._desk.end_call(jobs, seconds=time.monotonic() - self.began_at)


def shortest_limit(group: Sequence[Run]) -> float | None:
    """How many seconds a call for these may take; None for no limit."""
    limits = [run.job.timeout_seconds for run in group if run.job.timeout_seconds]
    return min(limits, default=None)
