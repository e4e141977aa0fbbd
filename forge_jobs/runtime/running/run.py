"""One attempt of one job, as the threads share it that look after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, TypeAlias

from forge_jobs.context import NOWHERE, SHUTDOWN, JobContext, Progress
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.exceptions import JobKilled, JobTimedOut
from forge_jobs.handlers.outcomes import Cancelled, Outcome, Released
from forge_jobs.runtime.running.striking import Reach
from forge_jobs.sets.stores import Store

GRACE_SECONDS: Final = 5.0
"""How long a handler may take to react to an exception raised in it before it is given up."""

NEVER: Final = float("inf")

End: TypeAlias = tuple[Outcome, Transition | None]
"""What a run came to, with what became of its job if that is stored already."""


class Run(Reach):
    """Created by the worker's thread, which calls the handler `with` it.

    `end()` is true for one caller, who reports the outcome.
    """

    # Of most runs nothing else is ever said: what is the class's need not be set for each.
    due_at = NEVER
    killed_at = NEVER
    cancel_coroutine: Callable[[], None] | None = None
    has_timed_out = False
    is_given_up = False
    stored_progress: Progress | None = None

    def __init__(self, job: ClaimedJob, *, process_name: str, store: Store = NOWHERE) -> None:
        super().__init__()
        self.job = job
        self.context = JobContext(job, process_name=process_name, store=store)
        self.began_at = time.monotonic()
        self._end = Lock()

    @property
    def known_context(self) -> JobContext | None:
        """Its context, if anybody can have asked it for anything."""
        return self.context

    @property
    def untold_progress(self) -> Progress | None:
        """What the handler has told of its progress and nobody has stored."""
        told = self.context.told_progress
        return None if told is self.stored_progress else told

    @property
    def members(self) -> Sequence[Run]:
        """The runs that its thread has in hand; of a plain one, itself."""
        return (self,)

    def let_go(self) -> None:
        """Called by the one who ends it, once, when its thread is free or given up."""

    def start_clock(self) -> None:
        """Let the job's timeout begin."""
        self.began_at = time.monotonic()
        if self.job.timeout_seconds:
            self.due_at = self.began_at + self.job.timeout_seconds

    def heeding(self, outcome: Outcome) -> Outcome:
        """A job that ends because its process stops is not cancelled; it will run again."""
        if isinstance(outcome, Cancelled) and self.context.cancelled.reason == SHUTDOWN:
            return Released()
        return outcome

    def end(self) -> bool:
        """Whether the caller is the first to end the run, and so the one to report it."""
        return self._end.acquire(blocking=False)

    @property
    def has_ended(self) -> bool:
        return self._end.locked()

    def look_after(self, *, now: float) -> None:
        """Called by another thread again and again: ends the handler, or later gives it up."""
        end = min(self.due_at, self.killed_at)
        if self.killed_at != NEVER:
            self.strike(JobKilled)
        elif now >= self.due_at:
            self.has_timed_out = True
            self.strike(JobTimedOut)
        if now >= end + GRACE_SECONDS and not self.is_given_up and self.end():
            self.is_given_up = True

    def kill(self) -> None:
        """End the handler by `JobKilled`; from now on it is given up if it does not react."""
        if self.killed_at == NEVER:
            self.killed_at = time.monotonic()
            self.strike(JobKilled)
            if self.cancel_coroutine:
                self.cancel_coroutine()
