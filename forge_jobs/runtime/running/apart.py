"""A run in a child of its own: what is said to it, and what it says until it has an outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from threading import Event
from typing import Final

from forge_jobs.children.pool import Pool
from forge_jobs.children.warm import WarmChild
from forge_jobs.db.rows import Transition
from forge_jobs.exceptions import ChildUnfit, JobTimedOut
from forge_jobs.handlers.answers import Log, Ready, Step, read
from forge_jobs.handlers.conversation import Conversation
from forge_jobs.handlers.outcomes import Cancelled, Interrupted, Outcome
from forge_jobs.handlers.pool import UNFIT_DELAY
from forge_jobs.handlers.verbatim import heard, said_transition
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.states import State

_encode: Final = json.JSONEncoder(separators=(",", ":"), default=str).encode

Settled = Callable[[Run, Outcome], Transition]


class Apart(Conversation):
    """A job that is to stop is told so, and goes on; one that is killed does not.

    The transition of an atomic handler is decided here, and stored by the child with its writes.
    """

    def __init__(
        self, run: Run, pool: Pool, *, process: int, stopping: Event, settled: Settled
    ) -> None:
        super().__init__(run.context, {}, program=pool.program)
        self._run = run
        self._pool = pool
        self._process = process
        self._stopping = stopping
        self._settled = settled
        self._transition: Transition | None = None
        self._is_told = self._is_told_to_stop = False
        self._stored: Transition | None = None

    def held(self) -> tuple[Outcome, Transition | None]:
        """The outcome of the run, with the transition if its child has stored that already.

        Raises `Cancelled` for a kill, and `JobTimedOut`.
        """
        try:
            with self._pool.lent(heed=self.heed_alone) as child:
                outcome = self.hold(child)
        except ChildUnfit as error:  # the job has not begun
            return Interrupted(str(error), delay=UNFIT_DELAY), None
        return outcome, self._stored

    def heed_alone(self) -> None:
        """While there is no child that could be told."""
        self._run.context.cancelled.raise_if_set()
        self._end_in_time()

    def heed(self, child: WarmChild) -> None:
        self._end_in_time()
        reason = self._run.context.cancelled.reason
        if reason and not self._is_told and child.has_read_all:
            self._say(child, cancel=reason)
            self._is_told = True
        if self._stopping.is_set() and not self._is_told_to_stop and child.has_read_all:
            self._say(child, stopping=True)
            self._is_told_to_stop = True

    def request(self) -> bytes:
        job, name = self._run.job, self._run.context.process_name
        return self._line(id=job.id, job=job, process=self._process, process_name=name)

    def understand(self, child: WarmChild, line: bytes) -> Outcome | Step | Log | Ready:
        match json.loads(line):
            case {"settle": dict() as outcome}:
                self._transition = self._settled(self._run, heard(outcome))
                self._say(child, transition=said_transition(self._transition))
                return Ready()
            case {"moved": True}:
                self._run.context.has_moved_apart = True
                return Ready()
            case {"came_to": _, "stored": state} as outcome:
                if state and self._transition:
                    self._stored = self._transition._replace(state=State(state))
                return heard(outcome)
        return read(line, job_id=self._run.job.id)

    def _end_in_time(self) -> None:
        if self._run.killed_at != NEVER:
            raise Cancelled(self._run.context.cancelled.reason)
        if time.monotonic() >= self._run.due_at:
            raise JobTimedOut

    def _say(self, child: WarmChild, **said: object) -> None:
        child.send(self._line(**said))

    def _line(self, **said: object) -> bytes:
        return f"{_encode(said)}\n".encode()
