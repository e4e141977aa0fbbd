"""A run in a child of its own: what is said to it, and what it says until it has an outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, Final

from forge_jobs.children.pool import Pool
from forge_jobs.children.warm import WarmChild
from forge_jobs.db.rows import Transition
from forge_jobs.exceptions import ChildUnfit, JobTimedOut
from forge_jobs.handlers.answers import Garbage, Log, Ready, Step, parsed, shortened, understood
from forge_jobs.handlers.conversation import Conversation
from forge_jobs.handlers.outcomes import Cancelled, Interrupted, Outcome
from forge_jobs.handlers.pool import UNFIT_DELAY
from forge_jobs.handlers.verbatim import heard, said_transition
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.states import State

_encode: Final = json.JSONEncoder(separators=(",", ":"), default=str).encode

Settled = Callable[[Run, Outcome], Transition]


class Talk(Conversation):
    """With a child that runs our own code: jobs that are to stop are told so, and go on.

    It ends when one is killed, or when the time of the `run` that they are in is up.
    """

    def __init__(
        self, run: Run, members: Sequence[Run], *, pool: Pool, process: int, stopping: Event
    ) -> None:
        super().__init__(run.context, {}, program=pool.program)
        self._run = run
        self._members = members
        self._pool = pool
        self._process = process
        self._stopping = stopping
        self._told: set[int] = set()
        self._is_told_to_stop = False

    def hold_with_one(self) -> Outcome:
        """Raises `Cancelled` for a kill, and `JobTimedOut`."""
        try:
            return self._pool.lend(self.hold, heed=self.heed_alone)
        except ChildUnfit as error:  # the jobs have not begun
            return Interrupted(str(error), delay=UNFIT_DELAY)

    def heed_alone(self) -> None:
        """While there is no child that could be told."""
        self._run.context.cancelled.raise_if_set()
        self._end_in_time()

    def heed(self, child: WarmChild) -> None:
        self._end_in_time()
        for run in self._members:
            if (reason := run.context.cancelled.reason) and run.job.id not in self._told:
                self._say(child, cancel=reason, id=run.job.id)
                self._told.add(run.job.id)
        if self._stopping.is_set() and not self._is_told_to_stop:
            self._say(child, stopping=True)
            self._is_told_to_stop = True

    def request(self) -> bytes:
        for run in self._members:
            run.context.place = self._run.context.place
        jobs = [run.job for run in self._members]
        name = self._run.context.process_name
        return self._line(jobs=jobs, process=self._process, process_name=name)

    def _end_in_time(self) -> None:
        if self._run.has_ended or any(map(_is_to_be_killed, self._members)):
            raise Cancelled(self._run.context.cancelled.reason)
        if time.monotonic() >= self._due_at:
            raise JobTimedOut

    def _say(self, child: WarmChild, **said: object) -> None:
        child.send(self._line(**said))

    def _line(self, **said: object) -> bytes:
        return f"{_encode(said)}\n".encode()


class Apart(Talk):
    """One job. The transition of an atomic handler is decided here, and stored by the child with
    its writes.
    """

    def __init__(
        self, run: Run, pool: Pool, *, process: int, stopping: Event, settled: Settled
    ) -> None:
        super().__init__(run, run.members, pool=pool, process=process, stopping=stopping)
        self._settled = settled
        self._transition: Transition | None = None
        self._stored: Transition | None = None

    def held(self) -> tuple[Outcome, Transition | None]:
        """The outcome of the run, with the transition if its child has stored that already."""
        outcome = self.hold_with_one()
        return outcome, self._stored

    def understand(self, child: WarmChild, line: bytes) -> Outcome | Step | Log | Ready:
        match said := parsed(line):
            case {"settle": dict() as outcome}:
                self._transition = self._settled(self._run, told_outcome(outcome))
                self._say(child, transition=said_transition(self._transition))
                return Ready()
            case {"moved": True}:
                self._run.context.has_moved_apart = True
                return Ready()
            case {"came_to": _, "stored": state}:
                if state and self._transition:
                    self._stored = self._transition._replace(state=State(state))
                return told_outcome(said)
        return understood(said, job_id=self._run.job.id)


def told_outcome(said: dict[str, Any]) -> Outcome:
    """Raises `Garbage`, for what runs in a child may write where answers go."""
    try:
        return heard(said)
    except (ValueError, TypeError):
        line = json.dumps(said).encode()
        raise Garbage(f"with an outcome that there is not: {shortened(line)}") from None


def _is_to_be_killed(run: Run) -> bool:
    return run.killed_at != NEVER and not run.has_ended
