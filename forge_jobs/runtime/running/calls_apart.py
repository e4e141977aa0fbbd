"""A call with a chunk of jobs in a child: each answer is settled as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from forge_jobs.children.lines import LineTooLong
from forge_jobs.children.warm import WarmChild
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.handlers.answers import Garbage, Log, Ready, Step, parsed, understood
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.isolation import children_of
from forge_jobs.handlers.outcomes import Cancelled, Done, Failed, Outcome
from forge_jobs.runtime.running.apart import Talk, told_outcome
from forge_jobs.runtime.running.calls import Caller
from forge_jobs.runtime.running.members import Call, shortest_limit
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.wording import quoted


class CallerApart(Caller):
    """Asks a child. One that dies, or must be ended, is for its jobs a call that raises."""

    def __init__(
        self, call: Call, handler: ChunkHandler[Any], *, process: int, **parts: Any
    ) -> None:
        super().__init__(call, handler, **parts)
        self._pool = handler.pool or children_of(handler)
        self._process = process

    def _ask(self, group: Sequence[Run]) -> list[list[Run]]:
        self._call.ask(group)
        self._call.due_at = NEVER  # its time begins when a child has it
        talk = ChunkTalk(
            self._call,
            group,
            pool=self._pool,
            process=self._process,
            stopping=self._failures.stopping,
            conclude=self.conclude,
        )
        try:
            outcome = talk.hold_with_one()
        except (Cancelled, JobTimedOut) as error:
            return self._after(error, group)
        left = [run for run in group if not run.has_ended]
        if left and isinstance(outcome, Done):
            outcome = Failed("The child said nothing of the job.")
        if left and isinstance(outcome, Failed):
            return self._after(outcome, group)
        for run in left:
            self.conclude(run, outcome)
        return []

    def _failure(self, run: Run, error: BaseException) -> Outcome:
        return error if isinstance(error, Failed) else super()._failure(run, error)


class ChunkTalk(Talk):
    """Of the end of the call a child says that it is there, when it has said all answers."""

    def __init__(
        self,
        call: Run,
        group: Sequence[Run],
        *,
        conclude: Callable[[Run, Outcome], None],
        **options: Any,
    ) -> None:
        super().__init__(call, group, **options)
        self._conclude = conclude
        self._by_id = {run.job.id: run for run in group}
        self.size = len(group)
        self._limit = shortest_limit(group)

    @property
    def limit(self) -> float | None:
        return self._limit

    def heed(self, child: WarmChild) -> None:
        try:
            super().heed(child)
        except (Cancelled, JobTimedOut):
            with suppress(LineTooLong, Garbage):  # what is answered is not done again
                for line in child.hear(0)[0]:
                    self.understand(child, line)
            raise

    def understand(self, child: WarmChild, line: bytes) -> Outcome | Step | Log | Ready:
        said = parsed(line)
        run = self._run_of(said.get("id"))
        self._ctx = run.context  # of which a progress or a log is
        match said:
            case {"answer": dict() as outcome}:
                self._conclude(run, told_outcome(outcome))
                return Ready()
            case {"moved": True}:
                run.context.has_moved_apart = True
                return Ready()
            case {"came_to": "done"}:
                return told_outcome(said)
        return understood(said, job_id=run.job.id)

    def _run_of(self, job_id: object) -> Run:
        """Raises `Garbage`."""
        if type(job_id) is int and (run := self._by_id.get(job_id)):
            return run
        raise Garbage(f"with the id {quoted(job_id)}, which no job of the chunk has")
